// What a server in Go reads of a body: encoding/json into a struct, as servers there do it. Told bodies in base64, a
// line each, it tells a line of JSON each: what it read, or null.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

type call struct {
	ID     any    `json:"id"`
	Method string `json:"method"`
	Params struct {
		Name      string `json:"name"`
		Arguments any    `json:"arguments"`
	} `json:"params"`
}

func read(body []byte) (*call, error) {
	reader := json.NewDecoder(bytes.NewReader(body))
	reader.UseNumber()
	var read call
	if err := reader.Decode(&read); err != nil {
		return nil, err
	}
	if _, err := reader.Token(); err != io.EOF {
		return nil, fmt.Errorf("more than one value")
	}
	return &read, nil
}

func tell(line string) error {
	body, err := base64.StdEncoding.DecodeString(line)
	if err != nil {
		return err
	}
	// What cannot be read is null.
	told, _ := read(body)
	if told == nil {
		fmt.Println("null")
		return nil
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"id":        told.ID,
		"method":    told.Method,
		"name":      told.Params.Name,
		"arguments": told.Params.Arguments,
	})
}

func main() {
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			return
		}
		if err == nil {
			err = tell(line[:len(line)-1])
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
