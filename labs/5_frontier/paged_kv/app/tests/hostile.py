"""lab serve under clients that are slow, broken, malicious or gone; and its page in a browser.

    SERVE=build/labs/serve python3 hostile.py half_a_request_blocks_no_other_client

Each function that takes (server) or (browser, server) is a sentence, and one of ctest's tests. Afterwards the server
gets SIGTERM: it exits with 0 only if every block of the KV cache came back. 77: something is missing here.
"""
import inspect
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(FOLDER, "../../../key_numbers/app/tests"))
import browser as browsers    # noqa: E402

PATIENCE = 200    # seconds: sanitizers make an answer slow


class Server:
    def __init__(self, *options, model="random:42m:Q4_0"):
        self.process = subprocess.Popen([os.environ["SERVE"], model, "--name", "m", "--port", "0",
                                         "--activations", "f32", *options],    # slow: requests must last
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("http://"):
            text = self.process.stderr.read()
            if "without libmicrohttpd" in text:
                print("skipped: no libmicrohttpd: ./lab setup")
                sys.exit(77)
            raise RuntimeError(text)
        self.url = line.split()[0]
        self.port = int(self.url.rsplit(":", 1)[1].rstrip("/"))

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE)
        assert status == 0, f"exit status {status}: {self.process.stderr.read()}"

    def dial(self):
        line = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        line.settimeout(PATIENCE)
        return line

    def ask(self, body, path="/v1/completions", method="POST"):
        """The status and what follows the head, by a client that behaves."""
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        with self.dial() as line:
            try:
                line.sendall(request(body, path, method))
            except ConnectionError:  # refused before all of it was sent
                pass
            return answer(line)

    def metric(self, name):
        status, text = self.ask(b"", "/metrics", "GET")
        assert status == 200, status
        return float(next(row for row in text.decode().split("\n") if row.startswith(f"lab_{name} ")).split()[1])

    def wait(self, name, value):
        until = time.monotonic() + PATIENCE
        while self.metric(name) != value:
            assert time.monotonic() < until, f"{name} is {self.metric(name)}, expected {value}"
            time.sleep(0.05)


def request(body, path="/v1/completions", method="POST"):
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def answer(line):
    got = b""
    try:
        while piece := line.recv(1 << 16):
            got += piece
    except ConnectionResetError:
        pass
    if not got:
        return 0, b""
    head, _, rest = got.partition(b"\r\n\r\n")
    return int(head.split()[1]), rest


LONG = {"prompt": "a", "max_tokens": 900}


# ---- slow ----

def idle_connections_and_a_byte_a_second_block_no_other_client(server):
    idle = [server.dial() for _ in range(900)]
    slow = [server.dial() for _ in range(16)]
    raw = request(json.dumps(LONG).encode())
    idle += [server.dial() for _ in range(150)]    # more than there is room for
    for i in range(4):
        for line in slow:
            try:
                line.send(raw[i:i + 1])
            except OSError:
                pass
        begun = time.monotonic()
        status, _ = server.ask({"prompt": "a", "max_tokens": 2})
        assert status == 200, status
        assert time.monotonic() - begun < 5
        time.sleep(0.5)
    for line in idle + slow:
        line.close()


idle_connections_and_a_byte_a_second_block_no_other_client.options = ["--connections", "1000"]


def a_request_that_takes_too_long_to_come_is_ended(server):
    raw = request(json.dumps(LONG).encode())
    with server.dial() as line:
        begun = time.monotonic()
        try:
            for byte in raw:
                line.send(bytes([byte]))
                time.sleep(0.1)
            status, _ = answer(line)
        except OSError:
            status = 0
        assert status == 0 and time.monotonic() - begun < 8, (status, time.monotonic() - begun)
    assert server.ask({"prompt": "a", "max_tokens": 1})[0] == 200


a_request_that_takes_too_long_to_come_is_ended.options = ["--quiet-seconds", "2"]


def a_client_that_does_not_read_frees_its_blocks(server):
    lines = []
    for _ in range(4):
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(("127.0.0.1", server.port))
        line.sendall(request(json.dumps({**LONG, "max_tokens": 200, "stream": True, "logprobs": 20}).encode()))
        lines.append(line)
    status, _ = server.ask({"prompt": "a", "max_tokens": 2})
    assert status == 200
    server.wait("blocks_held", 0)
    for line in lines:
        line.close()


# ---- gone ----

def clients_that_vanish_free_their_blocks(server):
    for i in range(40):
        line = server.dial()
        raw = request(json.dumps({**LONG, "stream": i % 2 == 0, "n": 1 + i % 3}).encode())
        line.sendall(raw)
        if i % 4 == 0:
            line.recv(100)
        if i % 5 == 0:    # a reset in place of an end
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        line.close()
    server.wait("blocks_held", 0)
    server.wait("sequences_waiting", 0)
    assert server.metric("requests_cancelled_total") > 20 and server.metric("requests_refused_total") == 0
    assert server.ask({"prompt": "a", "max_tokens": 2})[0] == 200


def half_a_request_blocks_no_other_client(server):
    raw = request(json.dumps(LONG).encode())
    lines = []
    for size in list(range(1, len(raw), 3)):
        line = server.dial()
        line.sendall(raw[:size])
        if size % 2:
            line.close()
        else:
            lines.append(line)
    assert server.ask({"prompt": "a", "max_tokens": 2})[0] == 200
    for line in lines:
        line.close()
    server.wait("blocks_held", 0)


# ---- broken ----

def broken_requests_get_a_client_error(server):
    generator = random.Random(5)
    good = request(json.dumps({"prompt": "abc", "max_tokens": 2, "stop": ["x"], "n": 1}).encode())
    raws = []
    for _ in range(400):
        raw = bytearray(good)
        for _ in range(generator.randrange(1, 6)):
            place = generator.randrange(len(raw))
            kind = generator.randrange(4)
            if kind == 0:
                raw[place] = generator.randrange(256)
            elif kind == 1:
                del raw[place:place + generator.randrange(8)]
            elif kind == 2:
                raw[place:place] = bytes(generator.randrange(256) for _ in range(generator.randrange(8)))
            else:
                raw[place:place] = raw[generator.randrange(len(raw)):][:generator.randrange(40)]
        raws.append(bytes(raw))
    # All at once: where the length is wrong, the server waits for the rest.
    lines = [server.dial() for _ in raws]
    for line, raw in zip(lines, raws):
        line.sendall(raw)
    for line, raw in zip(lines, raws):
        status, text = answer(line)
        assert status in (0, 200) or 400 <= status < 500, (status, raw, text)
        line.close()
    server.wait("blocks_held", 0)


broken_requests_get_a_client_error.options = ["--quiet-seconds", "3"]


def broken_bodies_get_a_sentence(server):
    generator = random.Random(6)
    good = json.dumps({"prompt": "abc", "max_tokens": 2, "stop": ["x"], "n": 1, "temperature": 0.5, "seed": 3,
                       "logit_bias": {"5": 1}, "stream_options": {"include_usage": True}, "response_format":
                       {"type": "json_schema", "json_schema": {"schema": {"type": "integer"}}}}).encode()
    pieces = [b"\xff", b"\xed\xa0\x80", b"\0", b"1e999", b"-1", b"99999999999999999999", b"null", b"[[[[", b"{", b"}", b'"',
              b"\\u0000", b"\\ud800", b'"n":-1,', b"true", b"1e-400", b"\xf0\x9f\xa6\x99"]
    for _ in range(400):
        body = bytearray(good)
        for _ in range(generator.randrange(1, 4)):
            place = generator.randrange(len(body) + 1)
            body[place:place + generator.randrange(6)] = generator.choice(pieces)
        status, text = server.ask(bytes(body))
        assert status == 200 or 400 <= status < 500, (status, bytes(body), text)
        if status >= 400:
            assert len(json.loads(text)["error"]["message"]) > 10, text
    server.wait("blocks_held", 0)


def a_request_of_two_lengths_is_refused(server):
    body = json.dumps({"prompt": "a", "max_tokens": 1}).encode()
    for more in (b"Content-Length: 5", b"Transfer-Encoding: chunked"):
        with server.dial() as line:
            line.sendall(request(body).replace(b"Host: x", b"Host: x\r\n" + more))
            status, text = answer(line)
            assert status == 400, (more, status, text)


def deep_and_huge_bodies_are_refused(server):
    for body in (b'{"prompt":' + b"[" * 100000, b'{"prompt":' + b'{"a":' * 50000 + b"1" + b"}" * 50001,
                 b'{"prompt":"' + b"a" * 500000 + b'"}', b'{"n":' + b"9" * 100000 + b"}",
                 b"{" + b",".join(b'"k%d":1' % i for i in range(50000)) + b"}", b'{"prompt":' + b" " * 900000 + b'"a"}',
                 b'{"prompt":[' + b"5," * 200000 + b"5]}", b'{"prompt":"a","stop":[' + b'"a",' * 100000 + b'"a"]}'):
        status, text = server.ask(body)
        assert 400 <= status < 500 or b" " * 1000 in body, (status, body[:40], text[:200])
    status, text = server.ask(b'{"prompt":"' + b"a" * 3000000 + b'"}')
    assert status in (413, 0), status
    server.wait("blocks_held", 0)


# ---- the page ----

def the_page_shows_a_text_and_the_blocks(browser, server):
    page = browser.open(server.url)
    page.wait("document.getElementById('model').textContent == 'm'")
    page.value("document.getElementById('text').value = 'Once'; document.getElementById('tokens').value = 100")
    page.value("document.getElementById('send').click()")
    page.wait("document.getElementById('list').children.length == 1")
    page.wait("/1 sequences run/.test(document.getElementById('counts').textContent)")
    page.wait("/100 more in/.test(document.getElementById('note').textContent)")
    page.wait("/: 0 held/.test(document.getElementById('counts').textContent)")
    assert page.value("document.getElementById('map').height") > 10
    assert page.value("document.documentElement.scrollWidth <= innerWidth")
    assert page.complaints == [], page.complaints
    foreign = [one for one in page.requests if not one.startswith((server.url, "data:image/svg+xml,"))]
    assert foreign == [], foreign
    if os.environ.get("PICTURE"):
        page.picture(os.environ["PICTURE"])


def main():
    sentence = globals()[sys.argv[1]]
    wants_browser = "browser" in inspect.signature(sentence).parameters
    if wants_browser and browsers.find() is None:
        print("skipped: no chromium: ./lab setup --dev")
        return 77
    server = Server(*getattr(sentence, "options", []))
    try:
        if wants_browser:
            with browsers.Browser() as browser:
                sentence(browser, server)
        else:
            sentence(server)
        server.end()
    finally:
        server.process.kill()
        server.process.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
