"""Which hosts a registry may name as its token service, beside public ones (connection-test.md, "Challenges")."""

import re

from registries.addresses import is_ip

from .policy import Policy
from .proxy import host_matches, is_here

# Second-level labels that are public suffixes under a country code, such as co.uk and com.cn, from the list of
# https://publicsuffix.org. Labels of up to three characters are all taken for one: where that is wrong, the operator
# names the host.
_SHORT = 3
_SECOND_LEVEL = (
    "adult aero aeroport africa agric agro aland architectes arts assn asso assur avocat avocats avoues belau "
    "bihar brand business chambagri chirurgiens-dentistes club commune conf consulado coop delhi desa ebiz "
    "econo ekloges embaixada experts-comptables fhsk firm from game geek geometre-expert gouv govt greta "
    "grondar guam gujarat health hotel huissier-justice info internet intl isla jobs kids kiwi komforb "
    "kommunalforbund komvux lanbib loisirs maori medecin mincom mobi money muni museum musica mutual name "
    "naturbruksgymn nome notaires other parliament parti perso pharmacien pharmaciens police ponpes port post "
    "press presse principe priv prof publ restaurant resto riik saotome school senasa shop store test tourism "
    "travel univ veterinaire"
)
# Top-level domains with names of many regions or trades below them. Every second-level name counts as a suffix.
_WITH_REGIONS = "aero arpa bo br hu int it jp kr museum no pl pro ru ua"
# Everybody can get a name under these, or any name there leads to the address in it.
_SHARED_BY_ALL = (
    "amazonaws.com azurecontainer.io azurecr.io azurewebsites.net cloudapp.azure.com cloudapp.net "
    "cloudfront.net compute.internal cr.aliyuncs.com duckdns.org dyndns.org elasticbeanstalk.com "
    "firebaseapp.com fly.dev github.io gitlab.io herokuapp.com in-addr.arpa ip6.arpa jfrog.io localtest.me "
    "lvh.me myqcloud.com netlify.app ngrok-free.app ngrok.app ngrok.dev ngrok.io nip.io no-ip.org "
    "onrender.com oraclecloud.com pages.dev r2.dev readthedocs.io repl.co run.app serveo.net sslip.io "
    "synology.me tencentcloudcr.com trycloudflare.com ts.net vcap.me vercel.app web.app windows.net "
    "workers.dev xip.io"
)
_SHORT_OF_A_NAMESPACE = frozenset({"cluster.local", "svc.cluster.local", "pod.cluster.local"})
_SUFFIX_LABELS, _REGIONS = frozenset(_SECOND_LEVEL.split()), frozenset(_WITH_REGIONS.split())
_SHARED = tuple(_SHARED_BY_ALL.split())
_ALIYUN = ".aliyuncs.com"
_ALIYUN_TOKENS = re.compile(r"dockerauth(-ee)?(-vpc)?\.[a-z0-9-]+\.aliyuncs\.com")


def is_named(realm: str, port: int, policy: Policy) -> bool:
    """Whether the operator lists this host."""
    return any(host_matches(realm, port, entry) for entry in policy.realm_hosts)


def belongs(realm: str, registry: str) -> bool:
    """Whether a realm's host is the registry's own or under the same parent domain, as `gitlab.corp.example`
    beside `registry.corp.example`. Hosts are lower case, IPv6 without brackets. An address belongs to itself only."""
    if realm == registry:
        return True
    if is_ip(realm) or is_ip(registry):
        return False
    if is_here(realm) and is_here(registry):
        return True  # all names below localhost are one machine (RFC 6761, 6.3)
    if registry.endswith(_ALIYUN) and _ALIYUN_TOKENS.fullmatch(realm):
        return True  # one operator, who gives registry and token service of a VPC different parents
    parent = registry.partition(".")[2]
    domain = registry if is_public_suffix(parent) else parent
    return not is_public_suffix(domain) and (realm == domain or realm.endswith(f".{domain}"))


def is_public_suffix(domain: str) -> bool:
    """Whether different people may own the names under a domain. In doubt, yes."""
    labels = domain.split(".")
    if len(labels) == 1 or domain in _SHORT_OF_A_NAMESPACE:
        return True
    if any(domain == shared or domain.endswith(f".{shared}") for shared in _SHARED):
        return True
    second, top = labels[-2:]
    short = len(second) <= _SHORT
    if top in _REGIONS or top.startswith("xn--") or (len(top) == 2 and second.startswith("xn--")):
        return len(labels) == 2 or (len(labels) == 3 and not short)
    return len(labels) == 2 and len(top) == 2 and (short or second in _SUFFIX_LABELS)
