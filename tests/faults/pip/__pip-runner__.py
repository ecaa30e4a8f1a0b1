"""As pip starts itself."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from pip.__main__ import main  # noqa: E402

sys.exit(main())
