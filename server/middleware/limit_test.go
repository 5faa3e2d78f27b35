package middleware

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
)

func TestAtOnce(t *testing.T) {
	t.Parallel()
	e := echo.New()
	ask := func(ctx context.Context) echo.Context {
		return e.NewContext(httptest.NewRequest(http.MethodPost, "/", nil).WithContext(ctx), httptest.NewRecorder())
	}
	leave, inside := make(chan struct{}), make(chan struct{}, 2)
	handler := AtOnce(1, time.Hour)(func(echo.Context) error {
		inside <- struct{}{}
		<-leave
		return nil
	})
	first := make(chan error)
	go func() { first <- handler(ask(t.Context())) }()
	<-inside
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	var refused *echo.HTTPError
	if err := handler(ask(impatient)); !errors.As(err, &refused) || refused.Code != http.StatusServiceUnavailable {
		t.Errorf("a second one: %v", err)
	}
	slow := ask(impatient)
	slow.Request().Header.Set("Content-Type", "application/x-www-form-urlencoded")
	slow.Request().Body = http.MaxBytesReader(nil, io.NopCloser(strings.NewReader("a=123456789")), 4)
	if err := handler(slow); !errors.As(err, &refused) || refused.Code != http.StatusBadRequest {
		t.Errorf("the form is not read before the wait: %v", err)
	}
	close(leave)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if err := handler(ask(t.Context())); err != nil {
		t.Errorf("after the first has left: %v", err)
	}
}
