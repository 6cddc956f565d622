package main

import (
	"bytes"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// makeKey answers with a private key and its public one.
func makeKey(asked question) (answer, error) {
	private, public, err := note.GenerateKey(bytes.NewReader(asked.Seed), asked.Name)
	return answer{Keys: []string{private, public}}, err
}

// signNote signs a text with private keys.
func signNote(asked question) (answer, error) {
	var signers []note.Signer
	for _, key := range asked.Keys {
		signer, err := note.NewSigner(key)
		if err != nil {
			return answer{}, err
		}
		signers = append(signers, signer)
	}
	signed, err := note.Sign(&note.Note{Text: asked.Text}, signers...)
	return answer{Text: string(signed)}, err
}

// openNote answers with the text of a note, the names of the known keys that signed it, and the number of
// signatures by unknown ones.
func openNote(asked question) (answer, error) {
	var verifiers []note.Verifier
	for _, key := range asked.Keys {
		verifier, err := note.NewVerifier(key)
		if err != nil {
			return answer{}, err
		}
		verifiers = append(verifiers, verifier)
	}
	opened, err := note.Open([]byte(asked.Text), note.VerifierList(verifiers...))
	if err != nil {
		return answer{}, err
	}
	found := answer{Text: opened.Text, Unknown: len(opened.UnverifiedSigs)}
	for _, signature := range opened.Sigs {
		found.Keys = append(found.Keys, signature.Name)
	}
	return found, nil
}

// readTree reads the text of a checkpoint, of the one origin that Go knows.
func readTree(asked question) (answer, error) {
	tree, err := tlog.ParseTree([]byte(asked.Text))
	return answer{Size: tree.N, Hashes: []tlog.Hash{tree.Hash}}, err
}

// writeTree is the way back.
func writeTree(asked question) (answer, error) {
	return answer{Text: string(tlog.FormatTree(tlog.Tree{N: asked.Size, Hash: asked.Root}))}, nil
}
