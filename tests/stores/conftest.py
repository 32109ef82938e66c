import pytest
from django.conf import settings

from registries.stores.embedded import EmbeddedStore
from registries.stores.sealing import Sealer


@pytest.fixture
def embedded_store(db: None) -> EmbeddedStore:
    store = EmbeddedStore(Sealer(settings.PASSWORD_KEYS))
    store.create_namespace("team-a")
    store.create_namespace("team-b")
    return store
