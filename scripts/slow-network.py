#!/usr/bin/python3
"""Hosts of one machine joined by slow links: network namespaces whose packets pass through this process, delayed and narrowed.

Run as root: slow-network.py HOSTS MILLISECONDS MEGABITS
Makes the namespaces rank1 to rankN with the addresses 10.9.0.1 to N, and gives this machine 10.9.0.254. Prints "ready"; takes all away when
its standard input ends.
"""
import fcntl
import heapq
import os
import selectors
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
MTU = 16000


def run(command):
    subprocess.run(command.split(), check=True)


def device(name, namespace, address):
    """A device whose packets are read and written here."""
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    inside = ""
    if namespace:
        run(f"ip netns add {namespace}")
        run(f"ip link set {name} netns {namespace}")
        inside = f"ip netns exec {namespace} "
        run(f"{inside}ip link set lo up")
    run(f"{inside}ip address add {address}/24 dev {name}")
    run(f"{inside}ip link set {name} mtu {MTU} txqueuelen 10000 up")
    return fd


def main():
    hosts, milliseconds, megabits = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    delay, seconds_per_byte = milliseconds / 1000, 8 / (megabits * 1e6)
    subprocess.run(["sh", "-c", "for i in $(seq 64); do ip netns del rank$i; done 2>/dev/null"])
    fds = {254: device("slow254", None, "10.9.0.254")}
    for i in range(1, hosts + 1):
        fds[i] = device(f"slow{i}", f"rank{i}", f"10.9.0.{i}")
    selector = selectors.DefaultSelector()
    for i, fd in fds.items():
        selector.register(fd, selectors.EVENT_READ, i)
    selector.register(sys.stdin, selectors.EVENT_READ, None)
    print("ready", flush=True)
    waiting, count = [], 0
    out_free, in_free = dict.fromkeys(fds, 0.0), dict.fromkeys(fds, 0.0)
    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, to, packet = heapq.heappop(waiting)
            try:
                os.write(fds[to], packet)
            except BlockingIOError:
                pass
        timeout = max(0, waiting[0][0] - now) if waiting else None
        if timeout is not None and timeout < 0.0002:
            timeout = 0
        for key, _ in selector.select(timeout):
            if key.data is None:
                if not sys.stdin.readline():
                    for i in range(1, hosts + 1):
                        run(f"ip netns del rank{i}")
                    return
                continue
            for _ in range(64):
                try:
                    packet = os.read(key.fd, 65535)
                except BlockingIOError:
                    break
                to = packet[19]
                if to not in fds or packet[0] >> 4 != 4:
                    continue
                now = time.monotonic()
                took = len(packet) * seconds_per_byte
                sent = max(now, out_free[key.data]) + took
                out_free[key.data] = sent
                arrived = max(sent, in_free[to] + took)
                in_free[to] = arrived
                count += 1
                heapq.heappush(waiting, (arrived + delay, count, to, packet))


main()
