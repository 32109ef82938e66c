"""Each problem has words, in both languages, and its code stays as it is."""

import re
from pathlib import Path

import pytest
import yaml
from django.utils import translation

from registries.api.status import API_TEXTS
from registries.domain.errors import (
    AlreadyExists,
    Cause,
    Conflict,
    ConsoleError,
    Forbidden,
    Invalid,
    LeftAlone,
    NotFound,
    Problem,
    Refused,
    TooManyRequests,
    Unavailable,
)
from registries.probe.remarks import ADDRESS_PROBLEMS, CREDENTIAL_PROBLEMS
from registries.words import log_in
from registries.words.causes import FIELD_TEXTS, cause_text
from registries.words.problems import TEXTS, error_text, problem_text

RBAC = Path(__file__).parents[2] / "registries" / "cluster" / "rbac.yaml"
ELSEWHERE = {
    *(problem for _, problem in FIELD_TEXTS),
    *log_in.TEXTS,
    Problem.KUBECONFIG_ELSEWHERE,
    Problem.CREDENTIAL_INVISIBLE,
    *API_TEXTS,
    *map(Problem, ADDRESS_PROBLEMS),
    *map(Problem, CREDENTIAL_PROBLEMS),
}


@pytest.mark.parametrize("problem", Problem)
def test_each_problem_has_words(problem: Problem) -> None:
    assert problem in TEXTS or problem in ELSEWHERE


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_text_of_a_page_has_no_markup(language: str) -> None:
    with translation.override(language):
        assert [str(it) for it in (*TEXTS.values(), *FIELD_TEXTS.values()) if "`" in str(it)] == []


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_words_are_in_the_language_of_the_reader(language: str) -> None:
    with translation.override(language):
        texts = [*map(problem_text, TEXTS), *(cause_text(Cause(*it)) for it in FIELD_TEXTS)]

    assert all(texts)
    assert all(text.isascii() is (language == "en") for text in texts)


def test_a_code_that_nobody_knows_any_more_has_a_general_sentence() -> None:
    with translation.override("en"):
        assert problem_text("retry after 3 s") == "Something went wrong. The log of the console says why."


@pytest.mark.parametrize(
    "error",
    [
        ConsoleError(),
        NotFound(),
        Forbidden(),
        AlreadyExists(),
        Conflict(),
        Invalid("", ()),
        TooManyRequests(),
        Unavailable(),
    ],
)
def test_an_error_without_a_problem_goes_by_its_reason(error: ConsoleError) -> None:
    assert error.problem is None
    assert error.code == error.reason
    assert error_text(error)


def test_an_error_is_either_a_role_or_a_problem() -> None:
    role, refused = Forbidden("team-a/x", "image-admin"), Refused("team-a/x", Problem.QUOTA_EXCEEDED)

    assert (role.role, role.problem, role.code) == ("image-admin", None, Problem.FORBIDDEN)
    assert (refused.role, refused.problem) == ("", Problem.QUOTA_EXCEEDED)
    assert LeftAlone("h", 3).code is Problem.TOO_MANY_REQUESTS
    assert str(role) == "Forbidden: team-a/x: needs image-admin"
    assert str(Conflict("team-a/x", Problem.CHANGED)) == "Conflict: team-a/x: changed"
    assert str(TooManyRequests(retry_after=3)) == "TooManyRequests: : retry after 3 s"


def test_no_code_changes() -> None:
    """Codes are stored and sent: a client or an older row knows them."""
    assert "\n".join(sorted(Problem)) == CODES


CODES = """\
AlreadyExists
Conflict
Forbidden
InternalError
Invalid
NotFound
ServiceUnavailable
TooManyRequests
account_name
already_running
annotations_size
backslash
bad_ip
bad_label
bad_port
bad_scheme
being_deleted
boolean
ca_empty
ca_private_key
ca_too_many
ca_unreadable
certificate_unusable
changed
channel_http
channel_secret
channel_taken
channel_url
characters
cluster_away
cluster_certificate
cluster_failed
cluster_forbidden
cluster_refused
cluster_timeout
cluster_token
cluster_uncertain
cluster_unconfigured
control_character
copy_present
crd_missing
credential_invisible
date
direction_mark
empty
ends
expiry
failed
first_list
forbidden
full_width
gone
hashing
holds_password
image_elsewhere
image_name
immutable
installation_forbidden
interrupted
item
items
kept_in_step
key_missing
kubeconfig_basic
kubeconfig_certificate
kubeconfig_context
kubeconfig_elsewhere
kubeconfig_empty
kubeconfig_file
kubeconfig_impersonation
kubeconfig_malformed
kubeconfig_plugin
label_value
last_administrator
left_alone
metadata_key
mirror_itself
mirror_path
mirror_scheme
name_taken
namespace_full
namespace_missing
namespaces_elsewhere
no_copy
no_labels
no_pull_secrets
no_service_account
no_undo
not_cancellable
not_empty
object
password_again
password_control_character
password_empty
password_fixed
password_forgotten
password_not_text
password_refused
password_too_common
password_too_short
password_too_similar
pods_forbidden
proof_expired
proof_refused
pull_secret_foreign
query_or_fragment
quota_exceeded
recipients
recreated
registry_busy
required
reviews_forbidden
rolled_back
run_under_way
seal_broken
serviceaccounts_forbidden
session_ended
silence_day
silence_time
skipped
source_unusable
taken
terminating
tls_without_https
token_malformed
tokenreviews_forbidden
too_long
too_long_here
too_many
too_many_at_once
too_many_channels
twice
type
under_way
underscore
undo_taken
unknown
unknown_type
user_info
username_colon
username_control_character
username_empty
username_not_text
weak
webhook_secret
whitespace_inside
whole_command
workloads_forbidden
zone_id"""


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_cluster_role_that_a_problem_names_is_one_of_ours(language: str) -> None:
    roles = {
        it["metadata"]["name"] for it in yaml.safe_load_all(RBAC.read_text()) if it["kind"] == "ClusterRole"
    }
    with translation.override(language):
        named = {
            problem: set(re.findall(r"registry-console-[a-z-]+", problem_text(problem))) for problem in TEXTS
        }
    assert set().union(*named.values()) <= roles
    assert named[Problem.TOKENREVIEWS_FORBIDDEN] == {"registry-console-token-reviews"}
