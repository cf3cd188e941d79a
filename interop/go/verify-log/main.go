// Command verify-log checks a log over HTTP with nothing but Go's own implementation of transparency logs,
// golang.org/x/mod/sumdb/note and .../tlog, and none of Bailiwick's code:
//
//   - the checkpoint's signature;
//   - every tile, and every record, by hashing all records again;
//   - the inclusion of one record, with a proof made from tiles and with the one that the service makes;
//   - that the log continues an earlier checkpoint, with both kinds of proof.
//
// It prints a line for each check and exits with 1 at the first that fails.
//
// Builds offline on Debian with the packages golang-go and golang-golang-x-mod-dev:
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go build -o verify-log ./interop/go/verify-log
package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// The height of tiles by C2SP tlog-tiles: 256 hashes in each.
const height = 8

func main() {
	url := flag.String("url", "", "address of the service, such as http://127.0.0.1:7420")
	keys := flag.String("keys", "", "verifier keys of the log, separated by spaces; one must have signed")
	origin := flag.String("origin", "", "first line that checkpoints must have")
	oldFile := flag.String("old", "", "file with an earlier checkpoint, which the log must continue")
	index := flag.Int64("index", 0, "record whose inclusion is proven")
	token := flag.String("token", "", "key that may read entry bundles")
	agent := flag.String("agent-key", "", "API key that may ask for proofs")
	flag.Parse()

	if err := verify(*url, *keys, *origin, *oldFile, *index, *token, *agent); err != nil {
		fmt.Println("FAIL", err)
		os.Exit(1)
	}
	fmt.Println("ok")
}

func verify(url, keys, origin, oldFile string, index int64, token, agent string) error {
	known, err := verifiers(keys)
	if err != nil {
		return err
	}
	source := &service{url: strings.TrimRight(url, "/"), token: token, agent: agent}

	text, err := source.get("/log/checkpoint", "")
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(text, known, origin)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	fmt.Printf("checkpoint: %d records, signature verified\n", tree.N)

	if err := source.checkEverything(tree); err != nil {
		return err
	}
	if err := source.checkInclusion(tree, index, known, origin); err != nil {
		return fmt.Errorf("inclusion of %d: %w", index, err)
	}
	if oldFile == "" {
		return nil
	}
	earlier, err := os.ReadFile(oldFile)
	if err != nil {
		return err
	}
	old, err := openCheckpoint(earlier, known, origin)
	if err != nil {
		return fmt.Errorf("earlier checkpoint: %w", err)
	}
	if err := source.checkConsistency(old, tree); err != nil {
		return fmt.Errorf("consistency of %d with %d: %w", tree.N, old.N, err)
	}
	return nil
}

func verifiers(keys string) (note.Verifiers, error) {
	var list []note.Verifier
	for _, key := range strings.Fields(keys) {
		verifier, err := note.NewVerifier(key)
		if err != nil {
			return nil, err
		}
		list = append(list, verifier)
	}
	return note.VerifierList(list...), nil
}

// openCheckpoint reads a C2SP tlog-checkpoint. tlog.ParseTree takes no other first line than that of the Go checksum
// database, so the origin is compared here and that line put in its place.
func openCheckpoint(text []byte, known note.Verifiers, origin string) (tlog.Tree, error) {
	opened, err := note.Open(text, known)
	if err != nil {
		return tlog.Tree{}, err
	}
	first, rest, found := strings.Cut(opened.Text, "\n")
	if !found || first != origin {
		return tlog.Tree{}, fmt.Errorf("it is of the log %q", first)
	}
	return tlog.ParseTree([]byte("go.sum database tree\n" + rest))
}

// A service is what serves the log.
type service struct {
	url, token, agent string
}

func (s *service) get(path, key string) ([]byte, error) {
	request, err := http.NewRequest("GET", s.url+path, nil)
	if err != nil {
		return nil, err
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s: %s", path, response.Status, body)
	}
	return body, nil
}

// path is a tile's address. Tile.Path writes the height, which C2SP leaves out, and calls records "data".
func path(tile tlog.Tile) string {
	parts := strings.SplitN(tile.Path(), "/", 4)
	level := parts[2]
	if level == "data" {
		level = "entries"
	}
	return "/log/tile/" + level + "/" + parts[3]
}

// Height, ReadTiles and SaveTiles make a service a tlog.TileReader.
func (s *service) Height() int { return height }

func (s *service) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		var err error
		if data[i], err = s.get(path(tile), ""); err != nil {
			return nil, err
		}
		if len(data[i]) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes", path(tile), len(data[i]))
		}
	}
	return data, nil
}

func (s *service) SaveTiles([]tlog.Tile, [][]byte) {}

// entries are the records of a bundle, each after its length in two bytes.
func (s *service) entries(tile tlog.Tile) ([][]byte, error) {
	tile.L = -1
	data, err := s.get(path(tile), s.token)
	if err != nil {
		return nil, err
	}
	var records [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("%s ends within a record", path(tile))
		}
		length := int(binary.BigEndian.Uint16(data))
		records = append(records, data[2:2+length])
		data = data[2+length:]
	}
	if len(records) != tile.W {
		return nil, fmt.Errorf("%s has %d records", path(tile), len(records))
	}
	return records, nil
}

// A memory holds every hash of a tree, in the order in which package tlog stores them.
type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(m)) {
			return nil, errors.New("a hash beyond the log")
		}
		hashes[i] = m[index]
	}
	return hashes, nil
}

// checkEverything hashes all records again, and holds the root and every tile against that.
func (s *service) checkEverything(tree tlog.Tree) error {
	var hashes memory
	var records int64
	for records < tree.N {
		tile := tlog.Tile{H: height, L: 0, N: records >> height, W: 1 << height}
		if rest := tree.N - records; rest < 1<<height {
			tile.W = int(rest)
		}
		bundle, err := s.entries(tile)
		if err != nil {
			return err
		}
		for _, record := range bundle {
			stored, err := tlog.StoredHashes(records, record, hashes)
			if err != nil {
				return err
			}
			hashes = append(hashes, stored...)
			records++
		}
	}
	root, err := tlog.TreeHash(tree.N, hashes)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return errors.New("the records do not lead to the root of the checkpoint")
	}
	fmt.Printf("records: all %d lead to the signed root\n", records)

	tiles := wholeTiles(tree.N)
	for _, tile := range tiles {
		served, err := s.ReadTiles([]tlog.Tile{tile})
		if err != nil {
			return err
		}
		computed, err := tlog.ReadTileData(tile, hashes)
		if err != nil {
			return err
		}
		if string(served[0]) != string(computed) {
			return fmt.Errorf("%s is not the tile of the records", path(tile))
		}
	}
	fmt.Printf("tiles: all %d are those of the records\n", len(tiles))
	return nil
}

// wholeTiles are the full tiles of a tree of n records, and the widest partial one of each level.
func wholeTiles(n int64) []tlog.Tile {
	var tiles []tlog.Tile
	for _, tile := range tlog.NewTiles(height, 0, n) {
		if last := len(tiles) - 1; last >= 0 && tiles[last].L == tile.L && tiles[last].N == tile.N {
			tiles[last] = tile
		} else {
			tiles = append(tiles, tile)
		}
	}
	return tiles
}

func (s *service) checkInclusion(tree tlog.Tree, index int64, known note.Verifiers, origin string) error {
	// TileHashReader holds every tile against the root before it uses it.
	reader := tlog.TileHashReader(tree, s)
	proof, err := tlog.ProveRecord(tree.N, index, reader)
	if err != nil {
		return err
	}
	tile := tlog.Tile{H: height, L: 0, N: index >> height, W: 1 << height}
	if rest := tree.N - tile.N<<height; rest < 1<<height {
		tile.W = int(rest)
	}
	records, err := s.entries(tile)
	if err != nil {
		return err
	}
	record := records[index-tile.N<<height]
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(record)); err != nil {
		return err
	}
	fmt.Printf("inclusion: record %d by tiles, %d hashes\n", index, len(proof))

	var bundle struct {
		Index      int64
		Record     string
		Proof      []string
		Checkpoint string
	}
	text, err := s.get("/v1/log/proof/"+strconv.FormatInt(index, 10), s.agent)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &bundle); err != nil {
		return err
	}
	if bundle.Index != index || bundle.Record != string(record) {
		return errors.New("the service proves another record")
	}
	signed, err := openCheckpoint([]byte(bundle.Checkpoint), known, origin)
	if err != nil {
		return err
	}
	served, err := hashList(bundle.Proof)
	if err != nil {
		return err
	}
	err = tlog.CheckRecord(served, signed.N, signed.Hash, index, tlog.RecordHash([]byte(bundle.Record)))
	if err != nil {
		return fmt.Errorf("the proof of the service: %w", err)
	}
	fmt.Printf("inclusion: record %d by the proof of the service\n", index)
	return nil
}

func (s *service) checkConsistency(old, tree tlog.Tree) error {
	proof, err := tlog.ProveTree(tree.N, old.N, tlog.TileHashReader(tree, s))
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
		return err
	}
	fmt.Printf("consistency: %d continues %d by tiles, %d hashes\n", tree.N, old.N, len(proof))

	text, err := s.get(fmt.Sprintf("/v1/log/consistency?from=%d&to=%d", old.N, tree.N), s.agent)
	if err != nil {
		return err
	}
	var answer struct{ Proof []string }
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	served, err := hashList(answer.Proof)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(served, tree.N, tree.Hash, old.N, old.Hash); err != nil {
		return fmt.Errorf("the proof of the service: %w", err)
	}
	fmt.Printf("consistency: %d continues %d by the proof of the service\n", tree.N, old.N)
	return nil
}

func hashList(encoded []string) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(encoded))
	for i, text := range encoded {
		bytes, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(bytes) != tlog.HashSize {
			return nil, fmt.Errorf("%q is no hash", text)
		}
		copy(hashes[i][:], bytes)
	}
	return hashes, nil
}
