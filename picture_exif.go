package souk

import (
	"bytes"
	"encoding/binary"
)

// pictureFacts is what a file says beside its pixels. The zero orientation never leaves the functions here: 1 is upright.
type pictureFacts struct {
	orientation int  // EXIF 2.32, tag 0x0112: 1 to 8
	scans       int  // JPEG only
	progressive bool // JPEG only: decoding keeps every coefficient, four bytes each
	animated    bool // WebP only
}

// The walkers below read hostile bytes: they never trust a length, and what they do not understand reads as upright.

// jpegFacts walks the markers of a JPEG (ITU T.81, B.1.1) up to its end. It finds segments the way image/jpeg does,
// skipping what is none, so that no file shows it fewer scans than the decoder will run.
func jpegFacts(body []byte) pictureFacts {
	facts := pictureFacts{orientation: 1}
	seenExif := false
	for at := 2; at+1 < len(body); {
		step := bytes.IndexByte(body[at:], 0xff)
		if step < 0 {
			break
		}
		at += step
		for at < len(body) && body[at] == 0xff {
			at++
		}
		if at >= len(body) {
			break
		}
		marker := body[at]
		at++
		switch {
		case marker == 0xd9: // EOI: what follows (a motion photo's film, a gain map) is not this picture
			return facts
		case marker == 0x00 || marker >= 0xd0 && marker <= 0xd7: // stuffed byte; restart
			continue
		}
		segment, ok := jpegSegment(body[at:])
		if !ok {
			return facts
		}
		at += 2 + len(segment)
		switch marker {
		case 0xda:
			facts.scans++
		case 0xc2:
			facts.progressive = true
		case 0xe1:
			if tiff, isExif := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); isExif && !seenExif {
				seenExif = true
				facts.orientation = exifOrientation(tiff)
			}
		}
	}
	return facts
}

// jpegSegment returns the payload after a two-byte length that counts itself.
func jpegSegment(b []byte) ([]byte, bool) {
	if len(b) < 2 {
		return nil, false
	}
	n := int(binary.BigEndian.Uint16(b))
	if n < 2 || n > len(b) {
		return nil, false
	}
	return b[2:n], true
}

// pngFacts finds the eXIf chunk (PNG 3rd edition, 11.3.4.4).
func pngFacts(body []byte) pictureFacts {
	facts := pictureFacts{orientation: 1}
	for rest := body[min(8, len(body)):]; len(rest) >= 12; {
		n := uint64(binary.BigEndian.Uint32(rest))
		if n > uint64(len(rest)-12) {
			break
		}
		switch string(rest[4:8]) {
		case "eXIf":
			facts.orientation = exifOrientation(rest[8 : 8+n])
			return facts
		case "IEND":
			return facts
		}
		rest = rest[12+n:]
	}
	return facts
}

// webpFacts reads the RIFF chunks of a WebP (RFC 9649, 2.3 to 2.7).
func webpFacts(body []byte) pictureFacts {
	facts := pictureFacts{orientation: 1}
	for rest := body[min(12, len(body)):]; len(rest) >= 8; {
		n := uint64(binary.LittleEndian.Uint32(rest[4:]))
		if n > uint64(len(rest)-8) {
			break
		}
		data := rest[8 : 8+n]
		switch string(rest[:4]) {
		case "VP8X":
			facts.animated = n > 0 && data[0]&0x02 != 0
		case "EXIF":
			// Some writers keep the prefix that belongs to JPEG.
			facts.orientation = exifOrientation(bytes.TrimPrefix(data, []byte("Exif\x00\x00")))
			return facts
		}
		rest = rest[min(8+n+n%2, uint64(len(rest))):]
	}
	return facts
}

// gifFacts: a GIF says nothing of the kind.
func gifFacts([]byte) pictureFacts { return pictureFacts{orientation: 1} }

// exifOrientation reads tag 0x0112 (one SHORT) from the first directory of a TIFF structure (TIFF 6.0, section 2).
// Anything missing, malformed or out of range is 1, upright.
func exifOrientation(tiff []byte) int {
	const upright, entrySize = 1, 12
	if len(tiff) < 8 {
		return upright
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return upright
	}
	start := uint64(order.Uint32(tiff[4:]))
	if start+2 > uint64(len(tiff)) {
		return upright
	}
	entries := int(order.Uint16(tiff[start:]))
	for rest := tiff[start+2:]; entries > 0 && len(rest) >= entrySize; entries-- {
		if order.Uint16(rest) == 0x0112 {
			kind, count, value := order.Uint16(rest[2:]), order.Uint32(rest[4:]), int(order.Uint16(rest[8:]))
			if kind == 3 && count == 1 && value >= 1 && value <= 8 {
				return value
			}
			return upright
		}
		rest = rest[entrySize:]
	}
	return upright
}
