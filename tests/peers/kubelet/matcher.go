// Answers from the kubelet's own code which credentials of a pod's pull secrets it tries for an image.
//
// Reads one JSON object a line: {"auths": [{KEY: USER, …}, …], "image": IMAGE}, one map of `auths` for each Secret. Writes
// a JSON list of the users in the order of the kubelet for each, or null for an image name that it refuses.
package main

import (
	"bufio"
	"encoding/json"
	"os"

	"k8s.io/kubernetes/pkg/credentialprovider"
	"k8s.io/kubernetes/pkg/util/parsers"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		question := struct {
			Auths []map[string]string
			Image string
		}{}
		if err := json.Unmarshal(lines.Bytes(), &question); err != nil {
			panic(err)
		}
		keyring := credentialprovider.BasicDockerKeyring{}
		for _, auths := range question.Auths {
			secret := credentialprovider.DockerConfig{}
			for key, user := range auths {
				secret[key] = credentialprovider.DockerConfigEntry{Username: user}
			}
			keyring.Add(secret)
		}
		name, _, _, err := parsers.ParseImageName(question.Image)
		if err != nil {
			answers.Encode(nil)
			continue
		}
		found, _ := keyring.Lookup(name)
		users := []string{}
		for _, credential := range found {
			users = append(users, credential.Username)
		}
		answers.Encode(users)
	}
}
