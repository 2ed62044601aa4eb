// Package seeds holds what an empty data folder begins with: the first
// document, the indicators it sets, the vectors of its clauses, and the
// questions by which answers are measured.
package seeds

import (
	"embed"
	"fmt"
	"io/fs"

	"zhengda/bot/kpi"
)

//go:generate go run ./internal/vectors

//go:embed 西安市科学技术局2024年度科技创新工作要点.txt
var documents embed.FS

//go:embed kpis.csv kpi_aliases.txt kpi_actuals_dev.csv questions.jsonl questions_hard.jsonl
var files embed.FS

//go:embed vectors
var vectors embed.FS

// Title is the title of the first document.
const Title = "西安市科学技术局2024年度科技创新工作要点"

// Actuals is the file of FS with invented actual values. They stand for
// measuring only and are never put into a user's data folder.
const Actuals = "kpi_actuals_dev.csv"

// QuestionSets are the files of FS with questions about the first document,
// a Case of package eval on each line; those of the second are worded further
// from the text.
var QuestionSets = []string{"questions.jsonl", "questions_hard.jsonl"}

// FS holds the files that are not documents.
func FS() fs.FS { return files }

// Documents holds the documents alone.
func Documents() fs.FS { return documents }

// Indicators are the curated indicators of the documents, with their other
// names, not yet bound to clauses.
func Indicators() ([]kpi.Indicator, error) {
	f, err := files.Open("kpis.csv")
	if err != nil {
		return nil, fmt.Errorf("seeds: %w", err)
	}
	defer f.Close()
	inds, err := kpi.ReadIndicators(f)
	if err != nil {
		return nil, fmt.Errorf("seeds: %w", err)
	}
	names, err := files.Open("kpi_aliases.txt")
	if err != nil {
		return nil, fmt.Errorf("seeds: %w", err)
	}
	defer names.Close()
	if err := kpi.ReadAliases(names, inds); err != nil {
		return nil, fmt.Errorf("seeds: %w", err)
	}
	return inds, nil
}

// Vectors is a folder for rag.OpenVectors: what the built-in embedder makes of
// an index over Documents.
func Vectors() fs.FS {
	sub, err := fs.Sub(vectors, "vectors")
	if err != nil {
		panic(err) // the name is valid
	}
	return sub
}
