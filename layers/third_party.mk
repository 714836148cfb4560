# Builds one layer of third-party packages; `sam build` runs it by way of each layer's Makefile
# (Metadata: BuildMethod: makefile) and says in ARTIFACTS_DIR where the result goes.
#
# Not SAM's own pip workflow, for two reasons (docs/decisions/0001-dependencies.md): that one downloads
# wheels of a foreign architecture by name and version alone, so their hashes are never compared; and it
# resolves what each package asks for, so aws-xray-sdk would bring botocore, which Lambda already has.

LAYER_PYTHON ?= python3.13
LAYER_ARCHITECTURE ?= aarch64
# Lambda's python3.13 runs on Amazon Linux 2023, glibc 2.34.
LAYER_PLATFORMS := $(foreach tag,manylinux2014 manylinux_2_17 manylinux_2_28 manylinux_2_34,\
	--platform $(tag)_$(LAYER_ARCHITECTURE))

build-%:
	$(LAYER_PYTHON) -m pip install --quiet --quiet --disable-pip-version-check --no-compile \
		--require-hashes --no-deps --only-binary=:all: \
		--implementation cp --python-version 3.13 $(LAYER_PLATFORMS) \
		--target "$(ARTIFACTS_DIR)/python" --requirement requirements.txt
	rm -rf "$(ARTIFACTS_DIR)/python/bin"
