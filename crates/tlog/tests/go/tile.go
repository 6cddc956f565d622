package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// height is that of every tile of the C2SP specification.
const height = 8

// path is where the C2SP specification puts a tile: it leaves out the height, which Go names.
func path(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
}

// tilePath answers with the path of a tile, which Go must read back as the same tile.
func tilePath(asked question) (answer, error) {
	tile := tlog.Tile{H: height, L: asked.Level, N: asked.Index, W: asked.Width}
	again, err := tlog.ParseTilePath(tile.Path())
	if err == nil && again != tile {
		err = fmt.Errorf("%s is read as %v", tile.Path(), again)
	}
	return answer{Text: path(tile)}, err
}

// tiles answers with the tiles that a tree of one size has and a smaller one had not.
func (tree *tree) tiles(asked question) (answer, error) {
	tiles := map[string][]byte{}
	for _, tile := range tlog.NewTiles(height, asked.Old, asked.Size) {
		data, err := tlog.ReadTileData(tile, tree)
		if err != nil {
			return answer{}, err
		}
		tiles[path(tile)] = data
	}
	return answer{Tiles: tiles}, nil
}

// folder has tiles in files.
type folder string

func (folder) Height() int                     { return height }
func (folder) SaveTiles([]tlog.Tile, [][]byte) {}
func (folder folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var read [][]byte
	for _, tile := range tiles {
		data, err := os.ReadFile(filepath.Join(string(folder), path(tile)))
		if err != nil {
			return nil, err
		}
		if len(data) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s is %d bytes long", path(tile), len(data))
		}
		read = append(read, data)
	}
	return read, nil
}

// readFromTiles answers with the hash of one leaf and its proof, both out of tiles. Go's reader (x/mod 0.7.0) leaves
// some tiles unchecked where subtrees at the right edge share a tile, so what was read is checked once more.
func readFromTiles(asked question) (answer, error) {
	reader := tlog.TileHashReader(tlog.Tree{N: asked.Size, Hash: asked.Root}, folder(asked.Folder))
	leaf, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, asked.Index)})
	if err != nil {
		return answer{}, err
	}
	proof, err := tlog.ProveRecord(asked.Size, asked.Index, reader)
	if err != nil {
		return answer{}, err
	}
	err = tlog.CheckRecord(proof, asked.Size, asked.Root, asked.Index, leaf[0])
	return answer{Hashes: append(leaf, proof...)}, err
}
