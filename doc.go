// Package souk is the domain of a Souk node and its PostgreSQL state: accounts, follows, posts, listings with their
// variants and stock, orders, media rows, notifications, and the activities received and to be sent.
//
// It knows no HTTP, no ActivityPub, no pages and no search engine. The arrows of the tree point one way:
//
//	cmd -> server -> { federation, search } -> souk;   server -> themes;   cmd -> migrations
//
// themes and migrations import nothing of ours. cmd/souk/arrows_test.go keeps this true.
//
// A change and everything that follows from it share one transaction: each method that changes something calls emit
// (event.go), the only place where a change becomes work. What waits is state that people can ask about: events to
// federate, received activities (inbox), deliveries, and documents to index (search_outbox).
package souk
