"""Promises of checks.functions and checks.layers: short entries, and layers as the imports need them."""

from pathlib import Path

import pytest

from checks import functions, layers
from checks.template import TemplateError, read_template

REPOSITORY = Path(__file__).parents[2]

TEMPLATE = """
Globals:
  Function: {Handler: app.handler, Architectures: [arm64], Layers: [!Ref BillingLayer]}
Resources:
  BillFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/bill, Layers: [!Ref StripeLayer]}
  BillingLayer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/billing}
    Metadata: {BuildMethod: python3.13}
  StripeLayer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/stripe}
    Metadata: {BuildMethod: makefile}
  SlackLayer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/slack}
    Metadata: {BuildMethod: makefile}
"""
ENTRY = "from billing.payments import pay\n\n\ndef handler(event, context):\n    return pay()\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small repository that is in order: one function that bills through our package and Stripe's."""
    files = {
        "template.yaml": TEMPLATE,
        "functions/bill/app.py": ENTRY,
        "layers/billing/billing/__init__.py": "",
        "layers/billing/billing/payments.py": "import json\nimport boto3\nimport stripe\ndef pay(): ...\n",
        "layers/stripe/requirements.txt": (REPOSITORY / "layers/stripe/requirements.txt").read_text(),
        "layers/stripe/Makefile": "",
        "layers/slack/requirements.txt": (REPOSITORY / "layers/slack/requirements.txt").read_text(),
        "layers/slack/Makefile": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def findings_of(tree: Path) -> list[str]:
    template = read_template(tree / "template.yaml")
    return [*layers.check_tree(tree, template), *functions.check_tree(tree, template)]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_function_with_exactly_the_layers_it_needs_passes(tree: Path) -> None:
    assert findings_of(tree) == []


def test_a_function_that_reaches_stripe_without_its_layer_is_named(tree: Path) -> None:
    edit(tree / "template.yaml", "functions/bill, Layers: [!Ref StripeLayer]", "functions/bill")
    assert findings_of(tree) == ["functions/bill/app.py: imports stripe; BillFunction needs the layer stripe."]


def test_a_layer_that_is_never_imported_is_named(tree: Path) -> None:
    edit(tree / "template.yaml", "Layers: [!Ref StripeLayer]", "Layers: [!Ref StripeLayer, !Ref SlackLayer]")
    assert findings_of(tree) == [
        "functions/bill/app.py: BillFunction attaches the layer slack, of which it imports nothing."
    ]


def test_our_own_package_needs_its_layer_too(tree: Path) -> None:
    edit(tree / "template.yaml", ", Layers: [!Ref BillingLayer]}", "}")
    assert findings_of(tree) == ["functions/bill/app.py: imports billing; BillFunction needs the layer billing."]


def test_a_package_that_no_layer_holds_is_named(tree: Path) -> None:
    edit(tree / "layers/billing/billing/payments.py", "import json", "import pandas")
    assert findings_of(tree) == [
        "functions/bill/app.py: imports pandas, which is in no layer and not in Lambda's runtime."
    ]


def test_an_entry_of_sixty_lines_passes_and_of_sixty_one_is_named(tree: Path) -> None:
    entry = tree / "functions/bill/app.py"
    entry.write_text(ENTRY + "# one more\n" * (60 - ENTRY.count("\n")))
    assert findings_of(tree) == []
    entry.write_text(entry.read_text() + "# too much\n")
    assert findings_of(tree) == [
        "functions/bill/app.py: has 61 lines, at most 60; what it decides belongs in billing.workflows."
    ]


def test_a_handler_that_does_not_exist_is_named(tree: Path) -> None:
    edit(tree / "template.yaml", "app.handler", "app.main")
    assert findings_of(tree) == ["BillFunction: its Handler 'app.main' is no function of functions/bill/app.py."]


def test_a_folder_that_is_not_deployed_is_named(tree: Path) -> None:
    (tree / "functions/spare").mkdir()
    (tree / "functions/spare/app.py").write_text("")
    assert findings_of(tree) == ["functions/spare: no function of template.yaml has it as CodeUri."]


def test_a_function_without_code_is_named(tree: Path) -> None:
    edit(tree / "template.yaml", "functions/bill", "functions/gone")
    assert "BillFunction: its CodeUri 'functions/gone' holds no app.py." in findings_of(tree)


def test_a_third_party_layer_that_sam_would_build_by_itself_is_named(tree: Path) -> None:
    edit(tree / "template.yaml", "layers/stripe}\n    Metadata: {BuildMethod: makefile}", "layers/stripe}")
    (finding,) = findings_of(tree)
    assert finding.startswith("StripeLayer: its BuildMethod must be makefile, not None; ")


def test_functions_of_another_architecture_than_their_layers_are_named(tree: Path) -> None:
    edit(tree / "template.yaml", "arm64", "x86_64")
    assert [finding.partition(",")[0] for finding in findings_of(tree)] == [
        "StripeLayer: is built for arm64",
        "SlackLayer: is built for arm64",
    ]


def test_a_layer_of_elsewhere_and_a_sixth_layer_are_named(tree: Path) -> None:
    five = ", ".join(["!Ref StripeLayer", *["'arn:aws:lambda:us-east-1:1:layer:other:1'"] * 4])
    edit(tree / "template.yaml", "Layers: [!Ref StripeLayer]", f"Layers: [{five}]")
    findings = findings_of(tree)
    assert sum("is not one of this template" in finding for finding in findings) == 4
    assert "BillFunction: has 6 layers; Lambda takes 5." in findings


def test_a_template_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"template\.yaml: there is no such file\."):
        read_template(tmp_path / "template.yaml")
    (tmp_path / "template.yaml").write_text("Resources: [")
    with pytest.raises(TemplateError, match="not readable as YAML"):
        read_template(tmp_path / "template.yaml")
    (tmp_path / "template.yaml").write_text("Transform: AWS::Serverless-2016-10-31\n")
    with pytest.raises(TemplateError, match="has no Resources"):
        read_template(tmp_path / "template.yaml")


def test_this_repositorys_functions_and_layers_keep_every_rule() -> None:
    template = read_template(REPOSITORY / "template.yaml")
    assert functions.check_tree(REPOSITORY, template) == []
    assert layers.check_tree(REPOSITORY, template) == []
