package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// peerAddress is where the i-th of the hosts listens that are delivered to: all of 127.0.0.0/8 is this machine.
func peerAddress(i, port int) string { return fmt.Sprintf("127.9.%d.%d:%d", i/250, 1+i%250, port) }

// benchPeers is souk bench peers as a process of its own: hosts that speak TLS 1.3, each connection once.
type benchPeers struct {
	hosts, port int
	control     string // its own address, where it is told how to behave
	cmd         *exec.Cmd
	in          io.WriteCloser
}

// address is host:port of the i-th host.
func (p *benchPeers) address(i int) string { return peerAddress(i, p.port) }

// authority is the file with the certificate that the other hosts' certificates are signed with.
func (b *bench) authority() string { return filepath.Join(b.dir, "authority.pem") }

// otherHosts are the hosts that the node talks to, started by the first part that needs them.
func (b *bench) otherHosts() (*benchPeers, error) {
	if b.peers != nil {
		return b.peers, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &benchPeers{hosts: 2000}
	p.cmd = exec.Command(self, "bench", "peers", "--hosts", strconv.Itoa(p.hosts), "--authority", b.authority())
	// Not childAttributes: it ends when its input does, which is when this process ends.
	p.cmd.Env, p.cmd.Stderr = childEnviron(os.Environ()), os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the other hosts: %w", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		_, err = fmt.Sscan(line, &p.port, &p.control)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the other hosts: %w", err), p.stop())
	}
	b.peers = p
	return p, nil
}

// behave tells the hosts how to be from now on, and to begin to count anew.
func (p *benchPeers) behave(ctx context.Context, how peerManners) error {
	_, err := p.ask(ctx, http.MethodPost, "/behave?"+url.Values{"faulty": {strconv.FormatBool(how.faulty)}, "rtt": {how.rtt.String()},
		"keep": {strconv.FormatBool(how.keep)}}.Encode())
	return err
}

// report is what the hosts got since they were last told how to be.
func (p *benchPeers) report(ctx context.Context) (r peerReport, err error) {
	text, err := p.ask(ctx, http.MethodGet, "/report")
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(text, &r)
}

func (p *benchPeers) ask(ctx context.Context, method, target string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+p.control+target, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %s", method, target, answer.Status, strings.TrimSpace(string(text)))
	}
	return text, err
}

func (p *benchPeers) stop() error { return errors.Join(p.in.Close(), p.cmd.Wait()) }
