"""The groups of test_shim.py that are not about starting programs: what the library exports, host names,
and what it reports."""
import os
import re
import subprocess
import sys

INET, INET6 = "2", "10"
STREAM = "1"
# Values that no path has by chance.
SECRETS = {"AWS_SECRET_ACCESS_KEY": "x:1", "DATABASE_URL": "x:2", "GITHUB_TOKEN": "x:3", "ZZZ_LAST": "x:4", "A": "plain"}
# What a vfork child must not come near: memory, locks, stdio, the loader, the environment's functions.
FORBIDDEN = re.compile(r"malloc|calloc|realloc|free|strdup|lock|mutex|printf|fopen|fdopen|write|dlsym|dl_iterate|getenv$"
                       r"|setenv|putenv|alloca|tls_get_addr|getcwd|realpath")


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout


def exports(args, root, check):
    with open(args.map) as f:
        listed = re.search(r"global:(.*)local:", f.read(), re.S).group(1)
    listed = sorted(name.strip() for name in listed.split(";") if name.strip())
    exported = sorted(line.split()[-1] for line in output("nm", "-D", "--defined-only", args.shim).splitlines())
    check(exported == listed, "exports differ from the list: %s" % sorted(set(exported) ^ set(listed)))
    check(len(listed) > 25, "the list is too short: %s" % listed)
    stripped = os.path.join(root, "stripped.so")
    subprocess.run(["strip", "-o", stripped, args.shim], check=True)
    check(os.path.getsize(stripped) <= 40 * 1024, "%d bytes stripped" % os.path.getsize(stripped))
    needed = re.findall(r"NEEDED.*\[(.*)\]", output("readelf", "-dW", args.shim))
    check(needed in (["libc.so.6"], []), "needs %s" % needed)
    check("NODELETE" in output("readelf", "-dW", args.shim), "not nodelete")
    # The block that every thread starts with may be used, which needs no call and no memory.
    segment = re.search(r"^ *TLS +(\S+ +){4}(0x\S+)", output("readelf", "-lW", args.shim), re.M)
    check(segment and int(segment.group(2), 16) <= 64, "much thread-local storage: %s" % (segment and segment.group(0)))
    check("tls_get_addr" not in output("nm", "-D", "--undefined-only", args.shim), "thread-local storage that is allocated")
    undefined = output("nm", "-D", "--undefined-only", args.shim)
    for version in re.findall(r"@GLIBC_2\.(\d+)", undefined):
        check(int(version) <= 17, "needs GLIBC_2.%s: %s" % (version, undefined))
    check("asan" not in undefined and "ubsan" not in undefined and "sancov" not in undefined, "is instrumented")
    # What the objects of the exec family refer to, that they do not define among themselves.
    symbols = output("nm", args.exec_library).splitlines()
    defined = {line.split()[-1] for line in symbols if re.search(r" [A-TV-Za-z] ", line) and " U " not in line}
    foreign = {line.split()[-1] for line in symbols if " U " in line} - defined
    bad = sorted(n for n in foreign if FORBIDDEN.search(n) and n not in ("shim_getenv",))
    check(not bad, "a vfork child would come by %s" % bad)
    check("syscall" in foreign, "the look at %s found nothing: %s" % (args.exec_library, sorted(foreign)))


def gai(*arguments):
    return ["+", "gai"] + list(arguments)


def names(runner, check):
    driver = runner.lib + "/name_driver"

    def ask(role, *command):
        out, events = runner.shimmed(role, [driver] + list(command))
        check(out[0] == 0 and out[2] == "", "name_driver %s: %s" % (" ".join(command), out))
        return out[1], events

    # Without a name to ask about, everything is as without the shim; only of odd spellings is the supervisor told.
    literal = sum((gai(*c) for c in [
        ("127.0.0.1", "80", "0", STREAM, "0"), ("::1", "443", "0", "0", "0"), ("127.1", "80", "0", STREAM, "2"),
        ("0x7f000001", "-", "0", STREAM, "0"), ("fe80::1%1", "80", "0", STREAM, "0"), ("-", "80", "0", STREAM, "1"),
        ("fe80::1%lo", "80", "0", STREAM, "0"), ("-", "-", "0", "0", "0"), ("1.2.3.4", "http", INET6, STREAM, "8"),
        ("one.test", "80", "0", "0", "4"), ("1.2.3.4", "nosuchservice", "0", STREAM, "0"), ("::1", "80", INET, "0", "0"),
        ("1.2.3.4", "80", "0", STREAM, "none"), ("1.2.3.4", "80", "0", STREAM, "0x40000000")]), [])
    literal += ["+", "host", "192.0.2.7", INET, "+", "info", "192.0.2.7", INET, "1", "+", "info", "127.0.0.1", INET, "3"]
    plain = runner.plain([driver] + literal)
    check(plain[0] == 0 and plain[1].count("gai ") == 14, "plain: %s" % (plain,))
    for role in (0, 1, 2, 3):
        text, events = ask(role, *literal)
        check(text == plain[1], "literals, role %d:\n%s\ninstead of\n%s" % (role, text, plain[1]))
        odd = [["resolve", "127.1"], ["resolve", "0x7f000001"]] if role else []
        check([e[:2] for e in events] == odd, "literals were asked for: %s" % events)

    table = [
        (("one.test", "443", "0", STREAM, "0"), "0 errno=- 2/1/6/192.0.2.1/443/"),
        (("one.test", "https", INET, STREAM, "2"), "0 errno=- 2/1/6/192.0.2.1/443/one.test"),
        (("two.test", "80", "0", STREAM, "none"), "0 errno=-"
         " 2/1/6/192.0.2.1/80/ 2/2/17/192.0.2.1/80/ 2/3/0/192.0.2.1/80/"
         " 10/1/6/2001:db8::1/80/ 10/2/17/2001:db8::1/80/ 10/3/0/2001:db8::1/80/"),
        (("two.test", "80", INET, STREAM, "0"), "0 errno=- 2/1/6/192.0.2.1/80/"),
        (("two.test", "80", INET6, STREAM, "0"), "0 errno=- 10/1/6/2001:db8::1/80/"),
        (("two.test", "80", "0", STREAM, "0x20"), "0 errno=- 2/1/6/192.0.2.1/80/ 10/1/6/2001:db8::1/80/"),
        (("one.test", "80", INET6, STREAM, "8"), "0 errno=- 10/1/6/::ffff:192.0.2.1/80/"),
        (("two.test", "80", INET6, STREAM, "8"), "0 errno=- 10/1/6/2001:db8::1/80/"),
        (("two.test", "80", INET6, STREAM, "0x18"),
         "0 errno=- 10/1/6/::ffff:192.0.2.1/80/ 10/1/6/2001:db8::1/80/"),
        (("one.test", "80", INET6, STREAM, "0"), "-2 errno=-"),
        (("scope.test", "80", "0", STREAM, "0"), "0 errno=- 10/1/6/fe80::1%lo/80/"),
        (("again.test", "80", "0", STREAM, "0"), "-3 errno=-"),
        (("one.test", "nosuchservice", "0", STREAM, "0"), "-8 errno=-"),
        (("one.test", "80", "1", STREAM, "0"), "-6 errno=-"),
        (("one.test", "80", "0", STREAM, "0x40000000"), "-1 errno=-"),
        (("", "80", "0", STREAM, "0"), "-2 errno=-"),
        (("x" * 300, "80", "0", STREAM, "0"), "-2 errno=-"),
        (("1.2.3.4 x", "80", "0", STREAM, "0"), "-2 errno=-"),
    ]
    # Refused, broken and malformed answers are a name that does not exist.
    for name in ("refused.test", "odd.test", "broken.test", "system.test", "weird.test", "many.test", "family.test",
                 "short.test", "stub.test", "empty.test", "zero.test"):
        table.append(((name, "80", "0", STREAM, "0"), "-2 errno=-"))
    for role in (1, 2, 3):
        text, events = ask(role, *sum((gai(*question) for question, _ in table), []))
        lines = text.splitlines()
        check(len(lines) == len(table), "role %d: %d answers" % (role, len(lines)))
        for (question, wanted), got in zip(table, lines):
            check(got == "gai %s: %s" % (question[0], wanted), "role %d, %s:\n%s\ninstead of\n%s"
                  % (role, question, got, wanted))
        asked = [e[1] for e in events if e[0] == "resolve"]
        check(asked.count("one.test") == 4 and "x" * 300 not in asked and "1.2.3.4 x" in asked,
              "role %d asked for %s" % (role, asked))
    text, _ = ask(1, *gai("full.test", "80", "0", STREAM, "0"))
    check(text.count("/1/6/") == 32, "32 addresses: %s" % text)

    text, _ = ask(1, "errno", "one.test", "+", "errno", "refused.test", "+", "errno", "short.test", "+", "errno", "again.test")
    check(re.findall(r": (\d+)", text) == ["42"] * 4, "errno changed: %s" % text)

    for role in (1, 2):
        text, events = ask(role, "host", "two.test", INET)
        one = "two.test type=2 length=4 aliases=0 192.0.2.1\n"
        check(text == "gethostbyname: " + one + "0 gethostbyname_r: " + one + "gethostbyname2: " + one
              + "0 gethostbyname2_r: " + one, "gethostbyname: %s" % text)
        check([e[:2] for e in events] == [["resolve", "two.test"]] * 4, "asked: %s" % events)
        text, _ = ask(role, "host", "two.test", INET6)
        check(text.count("two.test type=10 length=16 aliases=0 2001:db8::1") == 2, "gethostbyname2 v6: %s" % text)
        text, _ = ask(role, "host", "refused.test", INET, "+", "host", "many.test", INET, "+", "host", "again.test", INET,
                      "+", "host", "six.test", INET, "+", "host", "one.test", "1")
        check(re.findall(r"error (-?\d+)", text) == ["1"] * 8 + ["2"] * 4 + ["4"] * 4 + ["-1"] * 2, "errors: %s" % text)
        text, _ = ask(role, "small", "full.test", "+", "small", "one.test", "+", "small", "refused.test")
        check(text == "small full.test: 0 result=1 herr=0 grew=1\nsmall one.test: 0 result=1 herr=0 grew=1\n"
              "small refused.test: 0 result=0 herr=1 grew=0\n", "small: %s" % text)
        # Addresses are never turned into questions.
        text, events = ask(role, "addr", "192.0.2.1", INET, "+", "addr", "127.0.0.1", INET, "+", "addr", "::1", INET6,
                           "+", "info", "192.0.2.1", INET, "2", "+", "info", "192.0.2.1", INET, "10",
                           "+", "info", "127.0.0.1", INET, "2", "+", "info", "::1", INET6, "10",
                           "+", "info", "2001:db8::5", INET6, "0")
        check(text == "gethostbyaddr: error 1\n0 gethostbyaddr_r: error 1\n"
              "gethostbyaddr: localhost type=2 length=4 aliases=0 127.0.0.1\n"
              "0 gethostbyaddr_r: localhost type=2 length=4 aliases=0 127.0.0.1\n"
              "gethostbyaddr: localhost type=10 length=16 aliases=0 ::1\n"
              "0 gethostbyaddr_r: localhost type=10 length=16 aliases=0 ::1\n"
              "info 192.0.2.1: 0 192.0.2.1 443\ninfo short: -12\ninfo 192.0.2.1: -2  \n"
              "info 127.0.0.1: 0 localhost 443\ninfo short: -12\ninfo ::1: 0 localhost 443\n"
              "info 2001:db8::5: 0 2001:db8::5 https\n", "addresses: %s" % text)
        check([e[:2] for e in events] == [["4", "192.0.2.1"]] * 5 + [["4", "2001:db8::5"]], "a PTR question, or not told: %s" % events)

    # And as Python uses them.
    script = ("import socket\nprint(sorted(socket.getaddrinfo('two.test', 443, type=socket.SOCK_STREAM)))\n"
              "print(socket.gethostbyname('one.test'), socket.gethostbyname_ex('one.test'), socket.getfqdn('127.0.0.1'))\n"
              "try:\n socket.getaddrinfo('refused.test', 80)\nexcept socket.gaierror as e: print(e.errno)\n"
              "print(socket.getnameinfo(('192.0.2.1', 80), 0)[0])\n")
    out, _ = runner.shimmed(1, [sys.executable, "-S", "-c", script])
    check(out[0] == 0 and "('192.0.2.1', 443)" in out[1] and "('2001:db8::1', 443, 0, 0)" in out[1]
          and "192.0.2.1 ('one.test', [], ['192.0.2.1']) localhost\n-2\n192.0.2.1\n" in out[1], "python: %s" % (out,))


def env(runner, check):
    driver = runner.lib + "/env_driver"
    reader = runner.lib + "/libreader.so"
    plain = runner.plain([driver, "env"], **SECRETS)
    check(plain[0] == 0 and "GITHUB_TOKEN: x:3 x:3 x:3 x:3" in plain[1] and "errno 55" in plain[1], "plain: %s" % (plain,))
    for role in (0, 1, 2, 3):
        out, events = runner.shimmed(role, [driver, "env"], **SECRETS)
        check(out == plain, "role %d: %s instead of %s" % (role, out, plain))
        wanted = sorted([["1", name, obj] for name in SECRETS if name != "A" for obj in (driver, reader)]) if role > 1 else []
        check(sorted(events) == wanted, "role %d reported %s instead of %s" % (role, sorted(events), wanted))
        check(not any(v in "".join(map("".join, events)) for v in ("x:1", "x:2", "x:3", "x:4")), "a value was reported")
    for what, names in (("signal", ["DATABASE_URL", "GITHUB_TOKEN"]), ("threads", ["DATABASE_URL"])):
        plain = runner.plain([driver, what], **SECRETS)
        out, events = runner.shimmed(2, [driver, what], **SECRETS)
        check(out == plain and out[0] == 0, "%s: %s instead of %s" % (what, out, plain))
        check(sorted(e[1] for e in events) == names, "%s reported %s" % (what, events))
    out, events = runner.shimmed(2, [driver, "fork"], **SECRETS)
    # Two forked children report (a vfork child's report is its parent's too).
    check(out[1] == "x:4\n" and 2 <= len(events) <= 3 and {e[1] for e in events} == {"ZZZ_LAST"}, "fork: %s %s" % (out, events))

    # A library of the user's own is kept, before and after an environment was cleared.
    out, _ = runner.shimmed(2, [runner.world + "/bin/show"], shim=reader + ":" + runner.lib + "/libpipwarden.so")
    check("{LD_PRELOAD=%s:%s/libpipwarden.so}" % (reader, runner.lib) in out[1], "own LD_PRELOAD: %s" % (out,))
    code = "import os; os.execve(%r, ['show'], {'LD_PRELOAD': %r})" % (runner.world + "/bin/show", reader)
    out, _ = runner.shimmed(2, [sys.executable, "-S", "-c", code])
    check("{LD_PRELOAD=%s:%s/libpipwarden.so}" % (reader, runner.lib) in out[1], "own LD_PRELOAD again: %s" % (out,))
    for value in ("", ":", reader + " " + runner.lib + "/libpipwarden.so"):
        code = "import os; os.execve(%r, ['show'], {'LD_PRELOAD': %r})" % (runner.world + "/bin/show", value)
        out, _ = runner.shimmed(2, [sys.executable, "-S", "-c", code])
        check(out[1].count("libpipwarden.so") == 1 and out[1].count("{LD_PRELOAD=") == 1 and out[2] == "",
              "LD_PRELOAD %r: %s" % (value, out))
    # `enter` with the shim in it, behind the user's library: there it is inert, or this would never end.
    out, _ = runner.shimmed(1, ["/bin/sh", "-c", "/bin/echo ended; :"], shim=reader + ":" + runner.lib + "/libpipwarden.so")
    check(out == (0, "ended\n", "") and runner.started() == ["/bin/echo"], "the shim in enter: %s" % (out,))
    for bind in ("1", ""):
        out, _ = runner.shimmed(1, ["/bin/sh", "-c", "echo fine"], LD_BIND_NOW=bind)
        check(out == (0, "fine\n", ""), "LD_BIND_NOW: %s" % (out,))
    out, _ = runner.shimmed(2, [sys.executable, "-S", "-c",
                                "import os, ctypes\nos.closerange(3, 1000)\n"
                                "ctypes.CDLL(None).getenv(b'GITHUB_TOKEN')\nos.system('exit 4')\nprint('alive')"], **SECRETS)
    check(out == (0, "alive\n", ""), "closed descriptors: %s" % (out,))
    connects(runner, check, driver)
    writes(runner, check, driver)


def connects(runner, check, driver):
    unshare = ["unshare", "-n"] if os.getuid() == 0 else ["unshare", "-rn"]
    if subprocess.run(unshare + ["true"], stdout=subprocess.PIPE, stderr=subprocess.PIPE).returncode != 0:
        check(os.environ.get("PIPWARDEN_MUST_WORK") != "1", "no network namespaces here")
        print("connect reports: not run, no network namespaces here")
        return
    plain = runner.plain(unshare + [driver, "connect"])
    check(plain[0] == 0 and plain[1].count("Network is unreachable") >= 2, "plain: %s" % (plain,))
    for role in (0, 1, 2):
        out, events = runner.shimmed(role, unshare + [driver, "connect"], INTENTS="1")
        check(out == plain, "connect, role %d: %s instead of %s" % (role, out, plain))
        wanted = ["192.0.2.9:443", "2001:db8::9:8443", "127.0.0.1:443", "/nonexistent/socket:0"] if role == 2 else []
        told = [e[1] for e in events if e[2:] == [driver, "try_connect"]]
        # Of an address that cannot be read nothing is told, and what was said before stays.
        check(list(dict.fromkeys(told))[:4] == ["C " + w for w in wanted], "connect, role %d: events %s" % (role, events))


def writes(runner, check, driver):
    folder = runner.world + "/writes"
    locked = folder + "/locked"

    def prepare():
        subprocess.run(["rm", "-rf", folder], check=True)
        os.makedirs(locked)
        for name, mode in (("locked/file", 0o444), ("locked/secret", 0o000), ("free", 0o644)):
            with open(os.path.join(folder, name), "w"):
                pass
            os.chmod(os.path.join(folder, name), mode)
        os.chmod(locked, 0o555)
        os.chmod(folder, 0o777)
    saved, runner.user = runner.user, 65534 if os.getuid() == 0 else None
    prepare()
    plain = runner.plain([driver, "write", folder])
    check(plain[0] == 0 and plain[1].count("Permission denied") == 10, "plain: %s" % (plain,))
    for role in (0, 1, 2):
        prepare()
        out, events = runner.shimmed(role, [driver, "write", folder])
        check(out == plain, "writes, role %d: %s instead of %s" % (role, out, plain))
        check(os.stat(folder + "/fine").st_mode & 0o777 == 0o640, "the mode of a created file")
        wanted = [["5", locked + "/" + n, ""] for n in ("new", "rel", "file", "file", "at", "at64", "dir")]
        wanted += [["5", folder + "/free", ""], ["5", locked + "/free", ""]]  # a rename: both ends
        wanted += [["5", locked + "/" + n, ""] for n in ("file",)]
        check(events == (wanted if role == 1 else []), "writes, role %d: events %s" % (role, events))
    runner.user = saved
