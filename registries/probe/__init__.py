"""The connection test: one attempt over the network; knows no storage and nothing else of this project.
Imports the standard library, requests, urllib3 and idna."""

from .address import Address, AddressError, parse_address
from .batch import Job, Lanes, Outcome, probe_many
from .credentials import CredentialsError, check_credentials
from .engine import probe
from .memory import RealmMemory
from .policy import Policy
from .reason import Reason
from .result import Result
from .schedule import Schedule, Slot, registry_of
from .trace import Step

__all__ = [
    "Address",
    "AddressError",
    "CredentialsError",
    "Job",
    "Lanes",
    "Outcome",
    "Policy",
    "RealmMemory",
    "Reason",
    "Result",
    "Schedule",
    "Slot",
    "Step",
    "check_credentials",
    "parse_address",
    "probe",
    "probe_many",
    "registry_of",
]
