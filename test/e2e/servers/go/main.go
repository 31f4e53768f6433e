// A web server as people write them in Go: files with ranges and validators, an echo, and an answer in pieces.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[2])
	if err != nil {
		panic(err)
	}
	http.Handle("/", http.FileServer(http.Dir(os.Args[1])))
	http.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Write(body)
	})
	http.HandleFunc("/pieces", func(w http.ResponseWriter, r *http.Request) {
		for at := 0; at < 500; at++ {
			fmt.Fprintf(w, "piece %d\n", at)
			w.(http.Flusher).Flush()
		}
	})
	panic(http.Serve(listener, nil))
}
