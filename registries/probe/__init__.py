"""The connection test of one registry: `probe()` checks an address, a user name and a password over the network."""

from registries.addresses import Address, AddressError, parse_address

from .credentials import CredentialsError, check_credentials
from .engine import probe
from .policy import Policy, RealmMemory
from .reason import Reason
from .result import Result
from .schedule import LEAVE_ALONE, Schedule, Slot, registry_of
from .trace import Step

__all__ = [
    "LEAVE_ALONE",
    "Address",
    "AddressError",
    "CredentialsError",
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
    "registry_of",
]
