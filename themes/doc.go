// Package themes is what a storefront page looks like and what it is made from: the theme contract (one struct of plain
// values per template), the helpers that templates may call, the words of buyers in every language, the loader, and the
// default theme. It imports nothing of ours, so that a theme can be developed and checked without a database or a server.
//
// server/web fills the page structs and calls Render; nothing in here reads, writes, or waits.
package themes
