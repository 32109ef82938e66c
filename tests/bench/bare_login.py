"""What a test costs when nothing is judged, bounded or proven: the same requests by bare `requests`. As a script:
`python -m tests.bench.bare_login URL CHALLENGE [CA]`, the password on standard input."""

import sys

import requests

USER = "admin"


def log_in(url: str, challenge: str, password: str, ca: str | None = None) -> bool:
    """GET /v2/; then with Basic, or with a token, the anonymous token that the proof asks for, and the token request of
    containerd."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = ca or True
        first = session.get(f"{url}/v2/", timeout=10)
        if challenge == "basic":
            return session.get(f"{url}/v2/", auth=(USER, password), timeout=10).status_code == 200
        realm = first.headers["WWW-Authenticate"].split('"')[1]
        asked = {"account": USER, "client_id": "registry-console"}
        token = session.get(realm, params=asked, auth=(USER, password), timeout=10).json()["token"]
        bearer = {"Authorization": f"Bearer {token}"}
        confirmed = session.get(f"{url}/v2/", headers=bearer, timeout=10).status_code == 200
        anonymous = session.get(realm, params={"client_id": "registry-console"}, timeout=10)
        form = {"grant_type": "password", "username": USER, "password": password}
        posted = session.post(realm, data=form, timeout=10)
        return confirmed and anonymous.status_code == posted.status_code == 401


if __name__ == "__main__":
    sys.exit(0 if log_in(sys.argv[1], sys.argv[2], sys.stdin.read(), *sys.argv[3:]) else 1)
