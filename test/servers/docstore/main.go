// Reads one document as a Chains in Go would, by go-cloud's docstore, and prints it as JSON.
//
//	docstore 'mongo://DATABASE/COLLECTION?id_field=name' ID
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"

	"gocloud.dev/docstore"
	_ "gocloud.dev/docstore/awsdynamodb"
	_ "gocloud.dev/docstore/mongodocstore"
)

// document has the fields that Chains declares, whose names are what is looked for.
type document struct {
	Signed    []byte
	Signature string
	Cert      string
	Chain     string
	Object    any
	Name      string
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: docstore URL ID")
	}
	ctx := context.Background()
	collection, err := docstore.OpenCollection(ctx, os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer collection.Close()
	found := document{Name: os.Args[2]}
	if err := collection.Get(ctx, &found); err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		log.Fatal(err)
	}
}
