// Command go asks Go's reference packages of notes and logs: one JSON object a line comes in, one goes out.
// What an answer should be is for the test that asks, tests/it/go.rs, to say.
//
// To add a question, write a function from its fields to an answer and name it in the table.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/tlog"
)

// A question has the fields of all questions; each uses some of them.
type question struct {
	Ask    string
	Text   string
	Keys   []string
	Name   string
	Seed   []byte
	Old    int64
	Size   int64
	Index  int64
	Level  int
	Width  int
	Root   tlog.Hash
	Hash   tlog.Hash
	Hashes []tlog.Hash
	Folder string
}

// An answer has the fields of all answers. Refused says why Go did not agree, and is empty if it did.
type answer struct {
	Refused string            `json:"refused"`
	Text    string            `json:"text"`
	Keys    []string          `json:"keys"`
	Unknown int               `json:"unknown"`
	Size    int64             `json:"size"`
	Hashes  []tlog.Hash       `json:"hashes"`
	Tiles   map[string][]byte `json:"tiles"`
}

func main() {
	tree := &tree{}
	table := map[string]func(question) (answer, error){
		"make key":        makeKey,
		"sign note":       signNote,
		"open note":       openNote,
		"read tree":       readTree,
		"write tree":      writeTree,
		"grow":            tree.grow,
		"root":            tree.root,
		"prove record":    tree.proveRecord,
		"prove tree":      tree.proveTree,
		"tiles":           tree.tiles,
		"check record":    checkRecord,
		"check tree":      checkTree,
		"tile path":       tilePath,
		"read from tiles": readFromTiles,
	}
	in, out := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		if err := out.Encode(reply(table, line)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func reply(table map[string]func(question) (answer, error), line []byte) answer {
	var asked question
	if err := json.Unmarshal(line, &asked); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	find, known := table[asked.Ask]
	if !known {
		fmt.Fprintln(os.Stderr, "there is no question", asked.Ask)
		os.Exit(1)
	}
	found, err := find(asked)
	if err != nil {
		return answer{Refused: err.Error()}
	}
	return found
}
