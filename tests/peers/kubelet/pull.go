// Pulls images through a container runtime as a kubelet does: PullImage of the CRI.
//
// Takes the socket of the runtime. Reads one JSON object a line: {"image": IMAGE, "username": USER, "password": PASSWORD};
// without a user name it pulls without a credential. Writes the error of each pull as a JSON string, "" after a success.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1alpha2"
)

func main() {
	dial := func(ctx context.Context, path string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	connection, err := grpc.Dial(os.Args[1], grpc.WithInsecure(), grpc.WithContextDialer(dial))
	if err != nil {
		panic(err)
	}
	images := cri.NewImageServiceClient(connection)
	lines := bufio.NewScanner(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		pull := struct{ Image, Username, Password string }{}
		if err := json.Unmarshal(lines.Bytes(), &pull); err != nil {
			panic(err)
		}
		request := &cri.PullImageRequest{Image: &cri.ImageSpec{Image: pull.Image}}
		if pull.Username != "" {
			request.Auth = &cri.AuthConfig{Username: pull.Username, Password: pull.Password}
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		_, err := images.PullImage(ctx, request, grpc.WaitForReady(true))
		cancel()
		said := ""
		if err != nil {
			said = err.Error()
		}
		answers.Encode(said)
	}
}
