package main

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// A tree has the index itself, in eight bytes, as its entry at each index.
type tree struct {
	size int64
	// In the order in which Go stores hashes.
	stored []tlog.Hash
}

// ReadHashes makes a tree a tlog.HashReader.
func (tree *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for at, index := range indexes {
		if index >= int64(len(tree.stored)) {
			return nil, fmt.Errorf("no hash is stored at %d", index)
		}
		hashes[at] = tree.stored[index]
	}
	return hashes, nil
}

// grow appends entries up to a size.
func (tree *tree) grow(asked question) (answer, error) {
	for ; tree.size < asked.Size; tree.size++ {
		entry := binary.BigEndian.AppendUint64(nil, uint64(tree.size))
		hashes, err := tlog.StoredHashes(tree.size, entry, tree)
		if err != nil {
			return answer{}, err
		}
		tree.stored = append(tree.stored, hashes...)
	}
	return answer{Size: tree.size}, nil
}

func (tree *tree) root(asked question) (answer, error) {
	root, err := tlog.TreeHash(asked.Size, tree)
	return answer{Hashes: []tlog.Hash{root}}, err
}

func (tree *tree) proveRecord(asked question) (answer, error) {
	proof, err := tlog.ProveRecord(asked.Size, asked.Index, tree)
	return answer{Hashes: proof}, err
}

func (tree *tree) proveTree(asked question) (answer, error) {
	proof, err := tlog.ProveTree(asked.Size, asked.Old, tree)
	return answer{Hashes: proof}, err
}

func checkRecord(asked question) (answer, error) {
	return answer{}, tlog.CheckRecord(asked.Hashes, asked.Size, asked.Root, asked.Index, asked.Hash)
}

func checkTree(asked question) (answer, error) {
	return answer{}, tlog.CheckTree(asked.Hashes, asked.Size, asked.Root, asked.Old, asked.Hash)
}
