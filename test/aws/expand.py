"""Writes a SAM template as the CloudFormation template that AWS's own translator makes of it, as JSON.

    python expand.py < template.yaml
"""

import json
import os
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies:
    def load(self):
        return {}


os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
json.dump(transform(yaml_parse(sys.stdin.read()), {}, NoManagedPolicies()), sys.stdout, default=str)
