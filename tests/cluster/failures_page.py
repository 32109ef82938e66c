"""The page of pods that cannot pull, and the rights it takes."""

PAGE, ADD = "/pull-failures/", "/registries/-/add/"
READS_SECRETS = {
    "metadata": {"name": "reader-of-secrets"},
    "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}],
}
