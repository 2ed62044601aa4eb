package main

import (
	"path/filepath"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/lang/cjk"
)

// bleveBatch is how many clauses bleve is given at once, as its documentation
// advises for bulk loads.
const bleveBatch = 1000

// bleveEngine is bleve with one field for title and text.
type bleveEngine struct {
	dir   string
	index bleve.Index
}

func (e *bleveEngine) Build(clauses []clause) (err error) {
	field := bleve.NewTextFieldMapping()
	field.Analyzer, field.Store, field.IncludeTermVectors = cjk.AnalyzerName, false, false
	document := bleve.NewDocumentStaticMapping()
	document.AddFieldMappingsAt("text", field)
	mapping := bleve.NewIndexMapping()
	mapping.DefaultMapping, mapping.DefaultAnalyzer = document, cjk.AnalyzerName
	if e.index, err = bleve.New(filepath.Join(e.dir, "index"), mapping); err != nil {
		return err
	}
	batch := e.index.NewBatch()
	for _, c := range clauses {
		if err := batch.Index(c.ID, map[string]string{"text": c.Title + "\n" + c.Text}); err != nil {
			return err
		}
		if batch.Size() == bleveBatch {
			if err := e.index.Batch(batch); err != nil {
				return err
			}
			batch.Reset()
		}
	}
	return e.index.Batch(batch)
}

func (e *bleveEngine) Search(question string, k int) ([]string, error) {
	q := bleve.NewMatchQuery(question)
	q.SetField("text")
	found, err := e.index.Search(bleve.NewSearchRequestOptions(q, k, 0, false))
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, h := range found.Hits {
		ids = append(ids, h.ID)
	}
	return ids, nil
}
