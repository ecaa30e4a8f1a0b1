"""A static program in Go, which has a resolver and sockets of its own and no libc: `names NAME…` says of each whether it has an address, `talk HOST PORT TEXT` what was answered.

Go is in no list of packages of ./dev: it takes 450 MB.  Where it is there, its rows are made."""
from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

SOURCE = r"""
package main

import (
	"fmt"
	"net"
	"os"
	"time"
)

func names(hosts []string) {
	for _, host := range hosts {
		word := "found"
		if addresses, err := net.LookupHost(host); err != nil || len(addresses) == 0 {
			word = "none"
		}
		fmt.Println(host, word)
	}
}

func talk(host, port, text string) {
	if _, err := net.LookupHost(host); err != nil {
		fmt.Println("no name")
		return
	}
	c, err := net.DialTimeout("tcp", net.JoinHostPort(host, port), 8*time.Second)
	if err != nil {
		fmt.Println("no connection")
		return
	}
	c.SetDeadline(time.Now().Add(8 * time.Second))
	c.Write([]byte(text))
	got := make([]byte, 12)
	n, _ := c.Read(got)
	if n == 0 {
		fmt.Println("closed")
		return
	}
	fmt.Println(string(got[:n]))
}

func main() {
	if os.Args[1] == "names" {
		names(os.Args[2:])
	} else {
		talk(os.Args[2], os.Args[3], os.Args[4])
	}
}
"""


def build(folder: Path) -> Path | None:
    """The program in a folder; None: there is no Go."""
    go = shutil.which("go", path=os.environ.get("PATH", "") + ":/usr/local/go/bin:/usr/lib/go/bin")
    if not go:
        return None
    made, source = folder / "go-static", folder / "golang.go"
    source.write_text(SOURCE)
    env = {**os.environ, "CGO_ENABLED": "0", "GO111MODULE": "off", "GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": ""}
    subprocess.run([go, "build", "-ldflags=-s -w", "-o", made, source], check=True, timeout=300, env=env, cwd=folder)
    made.chmod(0o755)
    return made
