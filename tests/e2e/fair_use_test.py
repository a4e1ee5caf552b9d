"""Fair use over HTTP: the limits by user and by address, their headers, and that they spare operators.

One server with small quotas, one trusted proxy address that tells of others.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from harness import check  # noqa: E402

SETTINGS = {"limits.user_quota": "5", "limits.user_window": "1h", "limits.address_quota": "12", "limits.address_window": "1h",
            "http.trusted_proxies": "127.0.0.0/8", "policy.cooldown_after_refusals": "0"}


def from_address(address):
    return {"X-Forwarded-For": address}


def by_user(server):
    user = harness.token("busy")
    statuses = []
    for n in range(7):
        status, headers, body = server.request("POST", "/shows/load-00000/reserve", {"seat_ids": ["A1"]}, user)
        statuses.append(status)
        check(headers["RateLimit-Policy"] == '"user";q=5;w=3600', f"the policy is told: {headers['RateLimit-Policy']}")
        check(headers["RateLimit"].startswith(f'"user";r={max(0, 4 - n)};t='), f"what is left is told: {headers['RateLimit']}")
        if status == 429 and body["code"] == "user_rate_limited":
            check(600 < int(headers["Retry-After"]) <= 721, f"when to come back: {headers['Retry-After']}")
    check(statuses[0] == 201 and statuses[5:] == [429, 429], f"five are let in, the rest not: {statuses}")
    check(server.request("GET", "/bookings", None, user)[2]["code"] == "user_rate_limited", "whatever they ask for")
    check(server.request("GET", "/bookings", None, harness.token("calm"))[0] == 200, "another user is not concerned")
    staff = harness.token("house", "admin")
    check(all(server.request("GET", "/bookings", None, staff)[0] == 200 for _ in range(9)), "nor the staff")


def by_address(server):
    crowd, other = from_address("198.51.100.7"), from_address("198.51.100.8")
    statuses = [server.request("GET", "/cities", headers=crowd)[0] for _ in range(14)]
    check(statuses == [200] * 12 + [429] * 2, f"twelve and no more: {statuses}")
    status, headers, body = server.request("GET", "/shows/load-00000/seats", headers=crowd)
    check(status == 429 and body["code"] == "address_rate_limited", f"an own code: {body}")
    check(headers["RateLimit"].startswith('"address";r=0;t='), f"and what is left: {headers['RateLimit']}")
    check(int(headers["Retry-After"]) > 1, f"and when to come back: {headers['Retry-After']}")
    check(server.request("GET", "/cities", headers=other)[0] == 200, "another address is not concerned")
    check(server.request("GET", "/healthz", headers=crowd)[0] == 200, "nor is health")
    status, headers, _ = server.request("GET", "/cities")
    check(status == 200 and headers["RateLimit"] is None, "nor the house itself")
    status, headers, _ = server.request("POST", "/shows/load-00000/reserve", {"seat_ids": ["B1"]}, headers=from_address("203.0.113.1"))
    check(status == 201 and "usher_session" in headers["Set-Cookie"], "a session and both limits in one answer")
    check(len(headers.get_all("RateLimit")) == 2, f"both are told: {headers.get_all('RateLimit')}")


def main():
    with harness.temp_folder() as folder:
        catalog = harness.write_json(os.path.join(folder, "catalog.json"), harness.make_catalog(1))
        with harness.Server(folder, catalog, SETTINGS) as server:
            by_user(server)
            by_address(server)
            text = server.request("GET", "/metrics", None, harness.token("house", "admin"))[2].decode()
            check('usher_refusals_total{code="user_rate_limited"} 3' in text, "refusals are counted")
            check(server.stop() == 0, "the server stops cleanly")
    harness.finish()


if __name__ == "__main__":
    main()
