#!/usr/bin/python3
"""Makes hellos.h: the first flights of real TLS clients, each against a server on the loopback.  By hand, when a client is to be added.

capture_hellos.py OUTPUT        clients that are not installed are left out, with a line that says so
"""
import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

NAME = 'files.Example.COM'  # .example.com: RFC 2606
LINE = 140

GO = r'''
package main

import ("crypto/ecdh"; "crypto/rand"; "crypto/tls"; "os")

// An ECHConfigList (RFC 9849 section 4) with one X25519 key that nobody has the other half of.
func configs() []byte {
	key, _ := ecdh.X25519().GenerateKey(rand.Reader)
	body := append([]byte{7, 0, 0x20, 0, 32}, key.PublicKey().Bytes()...)
	body = append(body, 0, 4, 0, 1, 0, 1, 32)
	public := "outer.example.com"
	body = append(append(append(body, byte(len(public))), public...), 0, 0)
	config := append([]byte{0xfe, 0x0d, 0, byte(len(body))}, body...)
	return append([]byte{0, byte(len(config))}, config...)
}

func main() {
	c := &tls.Config{ServerName: os.Args[2], InsecureSkipVerify: true}
	if len(os.Args) > 3 {
		c.EncryptedClientHelloConfigList = configs()
	}
	if conn, err := tls.Dial("tcp", os.Args[1], c); err == nil {
		conn.Close()
	}
}
'''


class Tap:
    """Passes connections on to the server, and keeps what the client sent before the server's first byte."""

    def __init__(self, upstream):
        self.upstream, self.flight = upstream, b''
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client = self.listener.accept()[0]
            server = socket.create_connection(('127.0.0.1', self.upstream))
            self.flight, answered = b'', threading.Event()
            threading.Thread(target=self.copy, args=(server, client, answered), daemon=True).start()
            threading.Thread(target=self.copy, args=(client, server, answered, True), daemon=True).start()

    def copy(self, source, sink, answered, keep=False):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if keep and not answered.is_set():
                    self.flight += data
                    time.sleep(0.1)  # so that a flight in several segments is kept whole
                elif not keep:
                    answered.set()
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def run(*command):
    with contextlib.suppress(FileNotFoundError):
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300, check=False)


def by_python(port, name, version=None):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if version:
        context.maximum_version = version
    with socket.create_connection(('127.0.0.1', port)) as plain, context.wrap_socket(plain, server_hostname=name):
        pass


def flights(folder, tap):
    def first(*command):
        tap.flight = b''
        run(*command)
        return tap.flight

    def openssl(*options, name=NAME):
        return first('openssl', 's_client', '-connect', f'127.0.0.1:{tap.port}', *(('-servername', name) if name else ('-noservername',)), *options)

    old = ('-cipher', 'DEFAULT@SECLEVEL=0')
    yield 'openssl 3.0, TLS 1.3', 'openssl_13', openssl()
    yield 'openssl 3.0, TLS 1.2 only', 'openssl_12', openssl('-tls1_2')
    yield 'openssl 3.0, TLS 1.1 only', 'openssl_11', openssl('-tls1_1', *old)
    yield 'openssl 3.0, TLS 1.0 only', 'openssl_10', openssl('-tls1', *old)
    yield 'openssl 3.0, no server name', 'openssl_nameless', openssl(name=None)
    yield 'openssl 3.0, a list of protocols', 'openssl_alpn', openssl('-alpn', 'h2,http/1.1')
    saved, early = os.path.join(folder, 'session'), os.path.join(folder, 'early')
    with open(early, 'w', encoding='ascii') as f:
        f.write('GET / HTTP/1.0\r\n\r\n')
    openssl('-tls1_2', '-sess_out', saved)
    yield 'openssl 3.0, TLS 1.2 with a session ticket', 'openssl_ticket', openssl('-tls1_2', '-sess_in', saved)
    with subprocess.Popen(['openssl', 's_client', '-connect', f'127.0.0.1:{tap.port}', '-servername', NAME, '-sess_out', saved], stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as client:
        time.sleep(1)  # the ticket of TLS 1.3 comes behind the handshake
        client.stdin.close()
    yield 'openssl 3.0, TLS 1.3 with a pre-shared key and early data', 'openssl_early', openssl('-sess_in', saved, '-early_data', early)
    by_python(tap.port, NAME)
    yield 'ssl of Python 3.11', 'python_13', tap.flight
    by_python(tap.port, NAME, version=ssl.TLSVersion.TLSv1_2)
    yield 'ssl of Python 3.11, TLS 1.2 at most', 'python_12', tap.flight
    by_python(tap.port, None)
    yield 'ssl of Python 3.11, no server name', 'python_nameless', tap.flight
    url = f'https://{NAME}:{tap.port}/'
    yield 'curl 7.88 with OpenSSL', 'curl', first('curl', '-sk', '-m', '2', '--resolve', f'{NAME}:{tap.port}:127.0.0.1', url)
    yield 'wget 1.21 with GnuTLS 3.7', 'wget', first('wget', '-qO-', '-T', '2', '-t', '1', '--no-check-certificate', f'https://localhost:{tap.port}/')
    script = f'require("tls").connect({{port: {tap.port}, servername: "{NAME}", rejectUnauthorized: false}}, function() {{ this.destroy() }})'
    yield 'node 20', 'node', first('node', '-e', script)
    source, program = os.path.join(folder, 'hello.go'), os.path.join(folder, 'hello')
    with open(source, 'w', encoding='ascii') as f:
        f.write(GO)
    run('go', 'build', '-o', program, source)
    yield 'Go 1.26, with a post-quantum key share', 'go', first(program, f'127.0.0.1:{tap.port}', NAME)
    yield 'Go 1.26, with an encrypted hello inside', 'go_ech', first(program, f'127.0.0.1:{tap.port}', NAME, 'ech')


def main(output):
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        key, cert = os.path.join(folder, 'key'), os.path.join(folder, 'cert')
        run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-subj', '/CN=x', '-days', '1')
        with socket.create_server(('127.0.0.1', 0)) as s:
            port = s.getsockname()[1]
        server = stack.enter_context(subprocess.Popen(  # it ends with its standard input
            ['openssl', 's_server', '-accept', f'127.0.0.1:{port}', '-key', key, '-cert', cert, '-early_data', '-no_anti_replay',
             '-cipher', 'DEFAULT@SECLEVEL=0'],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        stack.callback(server.terminate)
        time.sleep(1)
        text = ['/* First flights of TLS clients, from the first byte to where they wait for an answer.  Made by capture_hellos.py. */',
                '#ifndef TESTS_RELAY_HELLOS_H', '#define TESTS_RELAY_HELLOS_H', '']
        for what, name, flight in flights(folder, Tap(port)):
            if not flight:
                print(f'{what}: nothing came', file=sys.stderr)
                continue
            digits = flight.hex()
            text += [f'/* {what} */', f'static const char hello_{name}[] =']
            text += [f'\t"{digits[i:i + LINE]}"' for i in range(0, len(digits), LINE)]
            text[-1] += ';'
            text.append('')
        text.append('#endif')
    with open(output, 'w', encoding='ascii') as f:
        f.write('\n'.join(text) + '\n')


if __name__ == '__main__':
    if len(sys.argv) != 2 or not shutil.which('openssl'):
        sys.exit(__doc__)
    main(sys.argv[1])
