"""The commands of kubectl for the workload of a failing pod."""

from django.utils.translation import gettext as _

from registries.domain.registry import Key
from registries.pull_secrets.failing import FailingPod
from registries.web.pulls.step import BARE, Accounts, change_template, restart


def change_of(pod: FailingPod, *, adds: str = "", takes_out: str = "") -> str:
    return change_template(
        pod.namespace, pod.owner, pod.name, adds=adds, takes_out=takes_out, cron_job=pod.cron_job
    )


def change_hint(pod: FailingPod) -> str:
    """How a pod gets the pull secret `name`, by its owner."""
    if pod.cron_job:
        return _("Name the pull secret %(name)s in the CronJob %(cron_job)s, then run this Job again.")
    if pod.owner[0] == "Job":
        return _(
            "The pods of a Job cannot be changed. The command creates the Job again with the pull secret %(name)s. The"
            " Job then runs from the beginning."
        )
    if pod.owner[0] == BARE:
        return _(
            "A pod that no workload made cannot be changed. The command creates it again with the pull secret "
            "%(name)s."
        )
    return _("Name the pull secret %(name)s in the workload.")


def restart_of(pod: FailingPod) -> str:
    return restart(pod.namespace, pod.owner, pod.name)


def has_list_of_account(pod: FailingPod, accounts: Accounts) -> bool:
    """Whether a pod has the pull secrets of its service account, which it gets if it names none itself."""
    return bool(pod.secrets) and accounts.named.get(Key(pod.namespace, pod.account)) == frozenset(pod.secrets)
