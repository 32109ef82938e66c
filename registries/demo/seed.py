"""The content of the demo: namespaces, five accounts, and a registry for every behaviour, with a history.

The newest result is real: each registry is tested once before the first page is shown. Earlier tests and all dates are
invented; the schedule records them as its own: days, states and changes of state follow from the tests. Slow tests run
after the server has started.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User

from registries.demo.behaviours import BEHAVIOURS, Behaviour
from registries.demo.past import APART, TESTS, PastTest, past, record
from registries.demo.process import DemoRegistries
from registries.domain.access import EVERYWHERE, Access, Role
from registries.domain.registry import Key, RegistrySecret
from registries.intake import Tls, read_draft
from registries.models import AuditEntry, StoredResource
from registries.people.grants import set_grant
from registries.probe import Result, probe
from registries.verification.prober import probe_policy
from registries.wiring import services

PASSWORD = "demo"  # noqa: S105 # nosec B105  shown on the demo's login page
ACCOUNTS = (
    ("olive", EVERYWHERE, Role.ADMIN),
    ("nina", "team-a", Role.ADMIN),
    ("omar", "team-a", Role.OPERATOR),
    ("vic", "team-a", Role.VIEWER),
    ("sam", "", None),
)
NAMESPACES = ("default", "dev-namespace", "test-namespace", "prod-namespace", "team-a", "team-b")
OLD = timedelta(days=30)
"""The age of the namespaces. They are older than their registries."""
LONG = frozenset({"slow", "hanging"})
"""Behaviours that are tested after the server has started."""
PATIENCE = 60.0
"""Seconds for each of the other tests. They are quick, but the machine may be slow, and a CA can be trusted only
after it was seen."""


@dataclass(frozen=True, slots=True)
class Seed:
    """One registry. `behaviour` names an entry of the table. `tested` is days ago, None for never."""

    namespace: str
    name: str
    behaviour: str
    provider: str
    display_name: str = ""
    description: str = ""
    tested: float | None = 0.1
    fine_before: bool = False
    """Whether the tests before the last one went well: something broke lately."""
    broken_before: bool = False
    """Whether the two tests before the last one failed: it was repaired lately."""
    tls: Tls = Tls.SYSTEM


SEEDS = (
    Seed("default", "harbor-prod", "harbor", "harbor", "生产环境 Harbor", "生产环境主镜像仓库"),
    Seed("default", "dockerhub-mirror", "open", "dockerhub", "Docker Hub 加速器", "匿名可拉取的缓存"),
    Seed("dev-namespace", "harbor-dev", "harbor", "harbor", "开发环境 Harbor"),
    Seed("dev-namespace", "dockerhub-dev", "dockerhub", "dockerhub", "开发环境 Docker Hub"),
    Seed("dev-namespace", "aliyun-dev", "aliyun", "aliyun", "开发环境阿里云"),
    Seed("dev-namespace", "registry-dev", "https-only", "other", "", "地址误写为 http://", 1.5),
    Seed("test-namespace", "harbor-test", "expired-certificate", "harbor", "测试环境 Harbor", "", 0.4, True),
    Seed(
        "test-namespace", "dockerhub-test", "rate-limited", "dockerhub", "测试环境 Docker Hub", "", 0.2, True
    ),
    Seed(
        "test-namespace",
        "aliyun-test",
        "access-denied",
        "aliyun",
        "测试环境阿里云",
        "公网访问白名单未放行",
        2.0,
    ),
    Seed("test-namespace", "registry-test", "slow", "other", "慢速仓库", "校验密码需要 3 秒", None),
    Seed("prod-namespace", "harbor-prod", "harbor", "harbor", "生产环境 Harbor", "生产环境主镜像仓库", 0.3),
    Seed("prod-namespace", "dockerhub-prod", "dockerhub", "dockerhub", "生产环境 Docker Hub", "", 9.0),
    Seed("prod-namespace", "aliyun-prod", "aliyun", "aliyun", "生产环境阿里云", "VPC 内网地址", 11.0),
    Seed("prod-namespace", "harbor-staging", "insecure-realm", "harbor", "预发布 Harbor", "", 0.8, True),
    Seed(
        "team-a",
        "harbor-team-a",
        "wrong-password",
        "harbor",
        "A 组 Harbor",
        "机器人账号，密码已更换",
        0.05,
        True,
    ),
    Seed("team-a", "dockerhub-team-a", "two-factor", "dockerhub", "A 组 Docker Hub", "", 0.6),
    Seed(
        "team-a",
        "registry-team-a",
        "basic",
        "other",
        "A 组 Registry",
        "Basic 认证，HTTP 明文",
        broken_before=True,
    ),
    Seed("team-a", "ecr-team-a", "expired-credentials", "other", "", "令牌 12 小时失效", 0.5, True),
    Seed("team-a", "nexus-team-a", "login-page", "other", "A 组 Nexus", "端口指向了登录页", 3.0),
    Seed("team-a", "quay-team-a", "dockerhub", "other", "", "", None),
    Seed("team-b", "harbor-team-b", "self-signed", "harbor", "B 组 Harbor", "自签名证书", 0.7),
    Seed(
        "team-b", "harbor-own-ca", "self-signed", "harbor", "B 组 Harbor", "已信任其自有 CA", 0.7, tls=Tls.CA
    ),
    Seed("team-b", "harbor-lab", "self-signed", "harbor", "实验室 Harbor", "跳过证书校验", 0.9, tls=Tls.SKIP),
    Seed("team-b", "harbor-old", "wrong-name", "harbor", "旧 Harbor", "迁移后证书域名不符", 12.0),
    Seed("team-b", "registry-down", "down", "other", "", "", 0.15, True),
    Seed("team-b", "registry-hanging", "hanging", "other", "", "不应答，20 秒后放弃", None),
    Seed("team-b", "registry-plain", "plain-http", "other", "", "", 1.0),
    Seed("team-b", "registry-broken", "server-error", "other", "", "", 0.25, True),
    Seed("team-b", "registry-moved", "redirecting", "other", "", "", 4.0),
    Seed("team-b", "registry-mutual", "client-certificate", "other", "", "要求客户端证书", 5.0),
    Seed("team-b", "registry-reset", "resetting", "other", "", "", 2.5),
    Seed("team-b", "proxy-stripped", "bad-challenge", "other", "", "反向代理去掉了认证头", 6.0),
    Seed("team-b", "registry-kerberos", "negotiate", "other", "", "", 6.5),
    Seed("team-b", "token-down", "token-service-down", "other", "", "", 1.2, True),
    Seed("team-b", "token-error", "token-service-error", "other", "", "", 1.3),
    Seed("team-b", "token-gateway", "token-service-page", "other", "", "", 1.4),
    Seed("team-b", "token-clock", "token-rejected", "other", "", "时钟偏差一小时", 1.6),
)


def seed(registries: DemoRegistries) -> None:
    """Fills an empty store with accounts, namespaces and registries."""
    password = make_password(PASSWORD)  # once: hashing takes a third of a second by design
    for name, namespace, role in ACCOUNTS:
        user = User.objects.create(username=name, password=password)
        if role is not None:
            set_grant(user, namespace, role)
    access = Access.from_grants("olive", [(EVERYWHERE, Role.ADMIN)])
    if services().store.manages_namespaces:
        for namespace in NAMESPACES:
            services().registries.create_namespace(access=access, name=namespace)
        AuditEntry.objects.update(at=datetime.now(UTC) - OLD)
    answers = _ask(registries)
    tests: list[PastTest] = []
    for entry in SEEDS:
        shown = answers[entry.behaviour].tls if entry.tested is not None else None
        ca_bundle = (shown.ca_pem if shown else None) or ""
        created = _create(access, entry, registries, ca_bundle)
        backdate(created, _made(entry))
        if entry.tested is not None:
            result = answers[entry.behaviour]
            if entry.tls is not Tls.SYSTEM:
                result = services().prober(services().store.credential(created.key, uid=created.uid))
            tests += past(created, result, _last(entry), fine=entry.fine_before, broken=entry.broken_before)
    record(tests, access)


def test_the_slow_ones() -> None:
    """Starts the slow tests. To be called in the server process, which has the background threads."""
    access = Access.from_grants("olive", [(EVERYWHERE, Role.ADMIN)])
    for entry in SEEDS:
        if entry.behaviour in LONG:
            services().single_tests.start(access=access, key=Key(entry.namespace, entry.name))


def _behaviour(name: str) -> Behaviour:
    return next(behaviour for behaviour in BEHAVIOURS if behaviour.name == name)


def _ask(registries: DemoRegistries) -> dict[str, Result]:
    """Tests every behaviour that answers quickly, all at the same time."""
    names = sorted({entry.behaviour for entry in SEEDS if entry.tested is not None})
    policy = replace(probe_policy(), connect_timeout=PATIENCE, read_timeout=PATIENCE, total_timeout=PATIENCE)

    def ask(name: str) -> Result:
        behaviour = _behaviour(name)
        return probe(registries.address(behaviour), behaviour.username, behaviour.password, policy)

    with ThreadPoolExecutor(8) as pool:
        return dict(zip(names, pool.map(ask, names), strict=True))


def _create(access: Access, entry: Seed, registries: DemoRegistries, ca_bundle: str) -> RegistrySecret:
    behaviour = _behaviour(entry.behaviour)
    draft = read_draft(
        {
            "name": entry.name,
            "namespace": entry.namespace,
            "domain": registries.address(behaviour),
            "username": behaviour.username,
            "password": behaviour.password,
            "provider": entry.provider,
            "display_name": entry.display_name,
            "description": entry.description,
            "tls": entry.tls.value,
            "ca_bundle": ca_bundle,
        }
    )
    return services().registries.create(access=access, draft=draft)


def backdate(registry: RegistrySecret, made: datetime) -> None:
    """Gives a registry this creation time. On a cluster the creation time cannot be changed."""
    row = StoredResource.objects.filter(uid=registry.uid).first()
    if row is None:
        return
    body = json.loads(row.body)
    body["metadata"]["creationTimestamp"] = made.strftime("%Y-%m-%dT%H:%M:%SZ")
    row.body = json.dumps(body, ensure_ascii=False)
    row.save(update_fields=["body"])
    AuditEntry.objects.filter(uid=registry.uid).update(at=made)


def _made(entry: Seed) -> datetime:
    """An hour before the first test."""
    first = _last(entry) - APART * (TESTS - 1)
    return (first if entry.tested is not None else datetime.now(UTC)) - timedelta(hours=1)


def _last(entry: Seed) -> datetime:
    return datetime.now(UTC) - timedelta(days=entry.tested or 0)
