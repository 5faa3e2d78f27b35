package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
)

// peerAddress is where the i-th of the hosts listens that are delivered to: all of 127.0.0.0/8 is this machine.
func peerAddress(i, port int) string { return fmt.Sprintf("127.9.%d.%d:%d", i/250, 1+i%250, port) }

func newBenchPeersCommand() *cobra.Command {
	var hosts int
	cmd := &cobra.Command{
		Use:   "peers",
		Short: "Be the hosts that souk bench delivers to",
		Long: "Listens on as many loopback addresses, all with one port, which it prints. Every POST is read and answered with\n" +
			"202; GET /received tells how many there were. It ends with its standard input. souk bench starts it.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return servePeers(cmd.Context(), hosts, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	cmd.Flags().IntVar(&hosts, "hosts", 500, "how many hosts to be, at most 60000")
	return cmd
}

// servePeers answers on the addresses of all hosts until in or ctx ends.
func servePeers(ctx context.Context, hosts int, in io.Reader, out io.Writer) (err error) {
	listeners, port, err := listenAsPeers(hosts)
	defer func() {
		for _, l := range listeners {
			l.Close() // the server has closed it
		}
	}()
	if err != nil {
		return err
	}
	var received atomic.Int64
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return // whoever sent half of it gets no answer
			}
			received.Add(1)
			w.WriteHeader(http.StatusAccepted)
		case r.URL.Path == "/received":
			fmt.Fprint(w, received.Load())
		default:
			http.NotFound(w, r)
		}
	})}
	failed := make(chan error, len(listeners)+1)
	for _, l := range listeners {
		go func() { failed <- server.Serve(l) }()
	}
	go func() {
		_, err := io.Copy(io.Discard, in)
		failed <- err
	}()
	if _, err := fmt.Fprintln(out, port); err != nil {
		return errors.Join(err, server.Close())
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	return errors.Join(err, server.Close())
}

// listenAsPeers listens on the addresses of all hosts, with a port that is free on each.
func listenAsPeers(hosts int) (list []net.Listener, port int, err error) {
	if hosts < 1 || hosts > 60_000 {
		return nil, 0, errors.New("be 1 to 60000 hosts")
	}
	first, err := net.Listen("tcp", peerAddress(0, 0))
	if err != nil {
		return nil, 0, advise(err, "every address in 127.0.0.0/8 must be of this machine, as on Linux")
	}
	list, port = append(list, first), first.Addr().(*net.TCPAddr).Port
	for i := 1; i < hosts; i++ {
		l, err := net.Listen("tcp", peerAddress(i, port))
		if err != nil {
			return list, 0, err
		}
		list = append(list, l)
	}
	return list, port, nil
}

// benchPeers is souk bench peers as a process of its own.
type benchPeers struct {
	hosts, port int
	cmd         *exec.Cmd
	in          io.WriteCloser
}

// address is host:port of the i-th host.
func (p *benchPeers) address(i int) string { return peerAddress(i, p.port) }

// otherHosts are the hosts that the node talks to, started by the first part that needs them.
func (b *bench) otherHosts() (*benchPeers, error) {
	if b.peers != nil {
		return b.peers, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &benchPeers{hosts: b.amount(500, 2000)}
	p.cmd = exec.Command(self, "bench", "peers", "--hosts", strconv.Itoa(p.hosts))
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
		p.port, err = strconv.Atoi(strings.TrimSpace(line))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the other hosts: %w", err), p.stop())
	}
	b.peers = p
	return p, nil
}

// received is how many activities they got.
func (p *benchPeers) received(ctx context.Context) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address(0)+"/received", nil)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(text))
}

func (p *benchPeers) stop() error { return errors.Join(p.in.Close(), p.cmd.Wait()) }
