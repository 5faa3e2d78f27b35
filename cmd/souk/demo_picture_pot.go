package main

import "math"

// ware is how a pot is finished.
type ware struct {
	glaze, rim, clay vec
	foot             float64 // height up to which the clay is raw
	top              float64 // height of the rim, where the glaze runs thin and shows another colour
	specks           float64 // share of the cells of clay that hold a spot of iron
	rings            float64 // depth of the throwing rings
	lip              float64 // how far below the rim that begins
	gloss            float64
	wall, table      vec // what it is photographed before
}

// finish returns the surface of a ware.
func (w ware) finish(n *noise) stuff {
	iron := hex(0x4a3222)
	return func(p, normal vec) (vec, float64, vec) {
		around := vec{p.x * 3, p.y * 1.2, p.z * 3}
		cloud := n.cloud(around)
		height := p.y + 0.05*(n.at(vec{p.x * 4, 7, p.z * 4})-0.5)
		glazed := smooth(w.foot-0.008, w.foot+0.008, height)
		if w.foot <= 0 {
			glazed = 1
		}
		// Glaze runs down: it is thin and pale above, thick and deep where it stops.
		deep := 0.30 * (1 - smooth(0, 0.35, height-w.foot))
		c := w.glaze.mul(0.84+0.30*cloud).mix(w.glaze.each(w.glaze).mul(1.3), deep)
		c = c.mix(w.rim, 0.75*smooth(w.top-w.lip, w.top-0.005, height+0.4*w.lip*(cloud-0.5)))
		raw := w.clay.mul(0.80 + 0.25*n.at(p.mul(38)) + 0.15*cloud)
		c = raw.mix(c, glazed)
		if w.specks > 0 {
			spots := max(n.specks(p.mul(15), w.specks), 0.8*n.specks(p.mul(34), w.specks*1.4))
			c = c.mix(iron, 0.72*spots)
		}
		bent := normal
		if w.rings > 0 {
			turn := p.y*58 + 2.2*math.Atan2(p.x, p.z)/math.Pi + 2.5*cloud
			bent.y += w.rings * math.Cos(turn)
			grain := 0.022*glazed + 0.16*(1-glazed)
			bent = bent.add(vec{n.at(p.mul(21)) - .5, n.at(p.mul(19)) - .5, 0}.mul(grain)).unit()
		}
		return c, w.gloss * glazed, bent
	}
}

// wareOf returns the potter's glazes by name, each with the wall and the table that suit it.
func wareOf(name string) (ware, bool) {
	w, ok := map[string]ware{
		"celadon": {glaze: hex(0xabbdae), rim: hex(0xcfcdb8), clay: hex(0xa98e72), specks: 0.03, rings: 0.035, gloss: 1,
			wall: hex(0xcfd8cf), table: hex(0xd9d4c7)},
		"oatmeal": {glaze: hex(0xe0d2b8), rim: hex(0xa9784c), clay: hex(0x9c7753), specks: 0.20, rings: 0.06, gloss: 0.55,
			wall: hex(0xe3d9c9), table: hex(0xd8cbb7)},
		"iron": {glaze: hex(0x423a35), rim: hex(0x94623c), clay: hex(0x6b4e3c), specks: 0.05, rings: 0.05, gloss: 0.9,
			wall: hex(0xcfc9c1), table: hex(0xd5cfc4)},
		"ash": {glaze: hex(0xa3aaa2), rim: hex(0xc6bda6), clay: hex(0x8d7a68), specks: 0.12, rings: 0.05, gloss: 0.7,
			wall: hex(0xd6dad7), table: hex(0xcdc7bc)},
		"purple": {glaze: hex(0x7b4b3c), rim: hex(0x8a5948), clay: hex(0x7b4b3c), specks: 0.03, rings: 0.025, gloss: 0.16,
			wall: hex(0xd9cdc4), table: hex(0xcabfb2)},
		"white": {glaze: hex(0xf0ece2), rim: hex(0xe2d8c6), clay: hex(0xb59c80), specks: 0.06, rings: 0.045, gloss: 0.9,
			wall: hex(0xcdd6dc), table: hex(0xd8d6d0)},
	}[name]
	return w, ok
}

func (s *still) put(f form, w stuff, centre vec, radius, half float64) {
	s.solids = append(s.solids, solid{f, w, centre, radius, half})
}

func (s *still) cup(w ware) {
	w.foot, w.top, w.lip = 0.13, 1.03, 0.10
	body := thrown(curve{{0, 0.07}, {0.26, 0.06}, {0.36, 0.10}, {0.43, 0.30}, {0.465, 0.65}, {0.50, 1.03}}, 0.10, 0.042, 0.006)
	ring := thrown(curve{{0.29, 0.02}, {0.30, 0.08}}, 0.05, 0.05, 0.004)
	s.put(blend(body, ring, 0.05), w.finish(s.noise), vec{0, 0.52, 0}, 0.80, 0.56)
}

func (s *still) mug(w ware) {
	w.foot, w.top, w.lip = 0.16, 0.98, 0.10
	body := thrown(curve{{0, 0.05}, {0.38, 0.045}, {0.47, 0.12}, {0.49, 0.40}, {0.475, 0.70}, {0.49, 0.98}}, 0.09, 0.05, 0.005)
	handle := turned(pulled(curve{{0.46, 0.80}, {0.62, 0.86}, {0.76, 0.74}, {0.76, 0.52}, {0.64, 0.34}, {0.47, 0.28}}, 0.050, 0.036, 1.5), 0.35+s.turn)
	s.look.x = 0.08
	s.put(blend(body, handle, 0.10), w.finish(s.noise), vec{0.12, 0.5, 0}, 0.95, 0.55)
}

func (s *still) bowl(w ware) {
	s.elevation, s.look.y = 0.46, 0.42
	w.foot, w.top, w.lip = 0.12, 0.74, 0.10
	body := thrown(curve{{0, 0.11}, {0.22, 0.11}, {0.42, 0.17}, {0.66, 0.34}, {0.80, 0.55}, {0.88, 0.74}}, 0.10, 0.042, 0.008)
	ring := thrown(curve{{0.30, 0.025}, {0.29, 0.12}}, 0.055, 0.055, 0.004)
	s.put(blend(body, ring, 0.06), w.finish(s.noise), vec{0, 0.40, 0}, 1.0, 0.42)
}

func (s *still) vase(w ware) {
	s.elevation, s.look.y, s.span = 0.16, 1.08, 3.5
	w.foot, w.top, w.lip = 0.10, 1.92, 0.10
	body := thrown(curve{{0, 0.05}, {0.30, 0.04}, {0.42, 0.12}, {0.58, 0.42}, {0.60, 0.72}, {0.44, 1.08}, {0.22, 1.36}, {0.155, 1.58}, {0.17, 1.78}, {0.235, 1.92}}, 0.09, 0.045, 0.007)
	s.put(body, w.finish(s.noise), vec{0, 0.97, 0}, 1.16, 1.02)
	bark := func(p, normal vec) (vec, float64, vec) {
		return hex(0x5d4a3a).mul(0.7 + 0.6*s.noise.at(p.mul(30))), 0, normal
	}
	bud := func(p, normal vec) (vec, float64, vec) {
		return hex(0xe9e2d2).mul(0.9 + 0.2*s.noise.at(p.mul(20))), 0, normal
	}
	twig := pulled(curve{{0.02, 1.2}, {0.06, 1.75}, {0.16, 2.15}, {0.42, 2.5}}, 0.019, 0.010, 1)
	side := pulled(curve{{0.10, 2.0}, {0.05, 2.25}, {-0.12, 2.48}}, 0.012, 0.007, 1)
	s.put(turned(blend(twig, side, 0.03), 0.3), bark, vec{0.15, 1.85, 0}, 0.85, 0.70)
	buds := ellipsoid(vec{0.42, 2.52, -0.12}, vec{0.052, 0.075, 0.052})
	for _, at := range []vec{{0.20, 2.25, -0.03}, {0.31, 2.36, -0.12}, {-0.12, 2.50, 0.03}, {-0.03, 2.36, 0.03}, {0.06, 2.30, -0.04}} {
		buds = blend(buds, ellipsoid(at, vec{0.045, 0.062, 0.045}), 0.01)
	}
	s.put(buds, bud, vec{0.15, 2.4, 0}, 0.5, 0.25)
}

func (s *still) teapot(w ware) {
	s.look.y, s.elevation, s.span = 0.56, 0.24, 3.1
	w.top, w.lip = 9, 0.1
	body := thrown(curve{{0, 0.06}, {0.36, 0.05}, {0.50, 0.14}, {0.64, 0.38}, {0.62, 0.62}, {0.44, 0.80}, {0.30, 0.84}, {0.28, 0.86}}, 0.08, 0.05, 0.004)
	spout := pulled(curve{{0.50, 0.36}, {0.72, 0.44}, {0.84, 0.66}, {1.00, 0.82}}, 0.125, 0.045, 1)
	handle := pulled(curve{{-0.52, 0.70}, {-0.74, 0.80}, {-0.92, 0.66}, {-0.88, 0.42}, {-0.60, 0.26}}, 0.048, 0.042, 1.2)
	pot := blend(blend(body, spout, 0.09), handle, 0.07)
	s.put(turned(pot, -0.25+0.4*s.turn), w.finish(s.noise), vec{0.02, 0.45, 0}, 1.12, 0.50)
	lid := thrown(curve{{0.31, 0.865}, {0.25, 0.915}, {0.12, 0.955}, {0.05, 0.975}, {0.045, 1.02}, {0.09, 1.06}, {0.085, 1.10}, {0, 1.115}}, 0.045, 0.045, 0)
	s.put(lid, w.finish(s.noise), vec{0, 0.98, 0}, 0.40, 0.18)
}

func (s *still) plate(w ware) {
	s.elevation, s.look.y, s.span, s.edge = 0.72, 0.10, 2.8, -3.2
	s.window = vec{-0.42, 0.72, -0.55}.unit() // a plate mirrors what is above it
	w.top, w.lip, w.foot = 0.235, 0.04, -1
	plate := thrown(curve{{0, 0.055}, {0.25, 0.058}, {0.50, 0.072}, {0.72, 0.105}, {0.88, 0.16}, {0.985, 0.235}}, 0.07, 0.045, 0.008)
	ring := thrown(curve{{0.52, 0.01}, {0.51, 0.035}}, 0.05, 0.05, 0)
	s.put(blend(plate, ring, 0.04), w.finish(s.noise), vec{0, 0.12, 0}, 1.10, 0.16)
}
