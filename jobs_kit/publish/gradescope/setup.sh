#!/usr/bin/env bash
# Gradescope runs this as root when it builds the image. It installs the kit's packages, and grades
# an empty submission: what is missing shows now, and no student waits for it.
set -eu
source="${AUTOGRADER:-/autograder}/source"
environment="${JOBS_KIT_ENVIRONMENT:-/opt/jobs-kit}"  # not in /root: student code runs as another user, who must read it

chmod -R go-rwx "$source"  # the hidden checks are in there
if [ ! -x "$environment/bin/python" ]; then
  export UV_PYTHON_INSTALL_DIR=/opt/python
  apt-get update -qq
  apt-get install -y -qq python3-pip >/dev/null
  python3 -m pip install --quiet --break-system-packages uv || python3 -m pip install --quiet uv
  python3 -m uv venv --quiet --python "$(cat "$source/python_version")" "$environment"
  python3 -m uv pip install --quiet --python "$environment/bin/python" -r "$source/requirements.txt"
fi

trial=$(mktemp -d)
trap 'rm -rf "$trial"' EXIT
mkdir "$trial/submission"
touch "$trial/submission/empty.txt"
AUTOGRADER="$trial" AUTOGRADER_SOURCE="$source" bash "$source/run_autograder"
if grep -q 'Grading failed' "$trial/results/results.json"; then
  echo "setup.sh: the autograder does not work here; the reason is above" >&2
  exit 1
fi
