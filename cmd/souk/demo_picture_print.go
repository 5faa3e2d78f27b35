package main

import "math"

// weave is cloth: threads in two directions, seen as small waves of the normal and of the colour.
func weave(n *noise, colour func(p vec) vec) stuff {
	return func(p, normal vec) (vec, float64, vec) {
		const threads = 190
		slub := 0.10 * (n.at(vec{p.x * 50, p.y * 50, p.z * 4}) + n.at(vec{p.x * 4, p.y * 50, p.z * 50}) - 1)
		wave := math.Sin(p.x*threads+3*n.at(p.mul(6))) * math.Sin((p.z+p.y)*threads)
		bent := normal.add(vec{0.10 * wave, 0, -0.10 * wave}).add(vec{n.at(p.mul(7)) - .5, 0, n.at(p.mul(8)) - .5}.mul(0.22)).unit()
		return colour(p).mul(0.94 + 0.10*wave + slub), 0, bent
	}
}

func (s *still) cloth() {
	s.wall, s.table = hex(0xd3d8da), hex(0xd6cdbd)
	s.elevation, s.look.y, s.span = 0.40, 0.40, 3.1
	n := s.noise
	indigo, cream, rust := hex(0x2c4257), hex(0xe8dfcd), hex(0xa65a3a)
	colours := []func(p vec) vec{
		func(p vec) vec { return cream.mix(indigo, 0.85*smooth(0.55, 0.6, math.Abs(math.Sin(p.x*9)))) },
		func(vec) vec { return rust },
		func(vec) vec { return cream },
		func(p vec) vec { // resist-dyed rings
			x, z := p.x*4.2+0.3*n.at(p.mul(9)), p.z*4.2+0.3*n.at(p.mul(8))
			d := math.Hypot(x-math.Round(x), z-math.Round(z))
			return indigo.mul(0.8+0.5*n.cloud(p.mul(4))).mix(cream, 0.85*smooth(0.10, 0.04, math.Abs(d-0.26+0.05*n.at(p.mul(30)))))
		},
	}
	y := 0.0
	for i, colour := range colours {
		half := vec{0.86 - 0.03*float64(i%2), 0.085, 0.60 - 0.02*float64(i%3)}
		centre := vec{0.02 * float64(i%3), y + half.y, 0.015 * float64(i%2)}
		y += 2*half.y - 0.012
		low := slab(vec{0, -0.042, 0}, vec{half.x, 0.046, half.z}, 0.044)
		high := slab(vec{0, 0.042, 0}, vec{half.x - 0.01, 0.046, half.z - 0.012}, 0.044)
		folded := blend(low, high, 0.02)
		rumpled := func(p vec) float64 {
			q := p
			q.y += 0.012 * math.Sin(2.7*p.x+2*float64(i)) * math.Cos(2.1*p.z+float64(i))
			return folded(q) * 0.9
		}
		s.put(moved(turned(rumpled, 0.35+0.05*float64(i)+s.turn), centre), weave(n, colour), centre, 1.10, half.y+0.03)
	}
}

func (s *still) notebooks() {
	s.wall, s.table = hex(0xe2dccf), hex(0xcfc4b3)
	s.elevation, s.look.y, s.span = 0.44, 0.26, 2.9
	n := s.noise
	paper := hex(0xf1ead9)
	y := 0.0
	for i, cover := range []vec{hex(0x0f5c56), hex(0xe0d3bb), hex(0xb4632f)} {
		half := vec{0.58, 0.075, 0.80}
		centre := vec{0.03 * float64(i), y + half.y, 0.02 * float64(i)}
		y += 2 * half.y
		whole := slab(vec{}, half, 0.012)
		angle := 0.42 - 0.22*float64(i) + s.turn
		sin, cos := math.Sincos(angle)
		surface := func(p, normal vec) (vec, float64, vec) {
			q := p.sub(centre)
			q = vec{q.x*cos - q.z*sin, q.y, q.x*sin + q.z*cos}
			spine := q.x < -half.x+0.03
			if math.Abs(q.y) < half.y-0.016 && !spine { // the cut edge of the pages
				lines := n.at(vec{3, q.y * 260, math.Floor(q.z * 2)})
				return paper.mul(0.78 + 0.22*lines), 0, normal
			}
			c := cover.mul(0.86 + 0.16*n.at(q.mul(60)) + 0.12*n.cloud(q.mul(5)))
			stitch := smooth(0.010, 0.006, math.Abs(q.x+half.x-0.09)) * smooth(0.35, 0.45, math.Abs(math.Mod(q.z*9+20, 1)-0.5)*2)
			label := smooth(0.262, 0.258, math.Abs(q.x)) * smooth(0.162, 0.158, math.Abs(q.z+0.25))
			if q.y < half.y-0.02 {
				label, stitch = 0, 0
			}
			c = c.mix(paper, max(label, stitch)*0.95)
			return c, 0.06, normal.add(vec{n.at(q.mul(90)) - .5, 0, n.at(q.mul(80)) - .5}.mul(0.10)).unit()
		}
		s.put(moved(turned(whole, angle), centre), surface, centre, 1.02, half.y)
	}
}

func (s *still) framed() {
	s.wall, s.table = hex(0xe4dfd4), hex(0xcdbfa9)
	s.elevation, s.look.y, s.span = 0.12, 0.98, 3.4
	n := s.noise
	const lean = 0.10
	sin, cos := math.Sincos(lean)
	upright := func(p vec) vec { // into the plane of the frame: its foot rests at z = 0.25
		z := p.z - 0.25
		return vec{p.x, p.y*cos - z*sin, p.y*sin + z*cos}
	}
	outer, inner := slab(vec{0, 0.95, 0}, vec{0.78, 0.95, 0.045}, 0.008), slab(vec{0, 0.95, 0.05}, vec{0.735, 0.905, 0.06}, 0.004)
	frame := func(p vec) float64 { q := upright(p); return max(outer(q), -inner(q)) }
	oak, paper := hex(0xb98d5e), hex(0xf3ecdc)
	surface := func(p, normal vec) (vec, float64, vec) {
		q := upright(p)
		if math.Abs(q.x) > 0.734 || math.Abs(q.y-0.95) > 0.904 {
			along := vec{q.x * 3, q.y * 60, 1}
			if math.Abs(q.x) > 0.734 {
				along = vec{q.x * 60, q.y * 3, 2}
			}
			return oak.mul(0.72 + 0.45*n.cloud(along)), 0.12, normal
		}
		rough := n.at(q.mul(70))
		c := paper.mul(0.95 + 0.06*rough)
		return c.each(woodcut(n, q.x/0.50, (q.y-0.98)/0.66, rough)), 0.03, normal
	}
	s.put(frame, surface, vec{0, 0.95, 0.2}, 1.3, 1.0)
}

// woodcut is what ink takes from the light of the paper: a sun over three ridges, cut from three blocks. x and y run from -1 to 1
// over the printed part.
func woodcut(n *noise, x, y, rough float64) vec {
	worn := 0.02 * (n.at(vec{x * 14, y * 14, 1}) - 0.5)
	inside := smooth(1.0, 0.99, math.Abs(x)+worn) * smooth(1.0, 0.99, math.Abs(y)+worn)
	c := vec{1, 1, 1}
	ink := func(colour vec, cover float64) {
		cover *= inside * (0.90 - 0.25*smooth(0.62, 0.85, rough)) // where the paper's grain lies low it takes no ink
		c = c.mix(c.each(colour), cover)
	}
	ink(hex(0xf0dcc0), smooth(-0.4, 0.9, y))
	sun := math.Hypot(x-0.28, (y-0.42)*1.32) + worn
	ink(hex(0xd2622f), smooth(0.31, 0.30, sun))
	for i, colour := range []vec{hex(0x9cc0b8), hex(0x4d8f88), hex(0x14504c)} {
		k := float64(i)
		ridge := 0.22 - 0.42*k + 0.75*(n.at(vec{x*1.3 + 9*k, k, 4})-0.5) + 0.14*n.at(vec{x*5 + 3*k, k, 6}) + 0.03*n.at(vec{x * 22, k, 8})
		cut := 1 - 0.55*smooth(0.62, 0.75, math.Sin((y-0.4*ridge+0.05*n.at(vec{x * 3, y * 3, k}))*46))*smooth(0.05, 0.5, ridge-y)
		ink(colour, smooth(0, 0.012, ridge-y+worn)*cut)
	}
	return c
}

func (s *still) potter() {
	s.wall = hex(0xd9cdb8)
	hair := blend(hood(), ellipsoid(vec{0.06, 2.63, 0.20}, vec{0.17, 0.15, 0.17}), 0.05)
	s.person(hair, hex(0x2b211c), hex(0xd8a684), hex(0x1d6a63))
}

func (s *still) printer() {
	s.wall = hex(0xcbd5cf)
	hair := blend(hood(), ellipsoid(vec{0.03, 1.93, 0.14}, vec{0.36, 0.40, 0.27}), 0.2)
	s.person(hair, hex(0x6b4630), hex(0xe2b697), hex(0xc07a32))
}

func (s *still) reader() {
	s.wall = hex(0xd7d3dc)
	s.person(blend(hood(), ellipsoid(vec{0.03, 2.28, 0.03}, vec{0.42, 0.40, 0.42}), 0.1), hex(0x1d1918), hex(0x8a5a40), hex(0xe6ddcb))
}

// hood is hair lying close to the head.
func hood() form { return ellipsoid(vec{0.03, 2.24, 0.05}, vec{0.365, 0.39, 0.39}) }

// person is somebody who looks out at the window, seen from behind: a portrait that shows nobody's face.
func (s *still) person(cut form, hair, skin, shirt vec) {
	s.portrait = true
	s.elevation, s.look, s.span, s.edge = 0.03, vec{0, 1.98, 0}, 2.3, -1.6
	s.key, s.window = vec{-0.72, 0.42, 0.35}.unit(), vec{-0.8, 0.3, 0.5}.unit()
	n := s.noise
	s.table = s.wall
	neck := pulled(curve{{0, 1.2}, {0.01, 1.6}, {0.03, 1.9}}, 0.19, 0.17, 1)
	face := ellipsoid(vec{0.03, 2.12, -0.05}, vec{0.33, 0.42, 0.38})
	ear := ellipsoid(vec{-0.31, 2.06, 0.0}, vec{0.045, 0.10, 0.07})
	ear2 := ellipsoid(vec{0.36, 2.06, 0.0}, vec{0.045, 0.10, 0.07})
	flesh := func(p, normal vec) (vec, float64, vec) { return skin.mul(0.93 + 0.12*n.cloud(p.mul(5))), 0.05, normal }
	s.put(blend(blend(blend(neck, face, 0.12), ear, 0.05), ear2, 0.05), flesh, vec{0, 1.85, 0}, 0.95, 0.95)
	loose := func(p vec) float64 { // locks stand out a little
		return (cut(p) + 0.013*(n.at(vec{p.x * 9, p.y * 2, p.z * 9})-0.5)) * 0.85
	}
	strands := func(p, normal vec) (vec, float64, vec) {
		lock := n.at(vec{p.x * 34, p.y * 3, p.z * 34})
		fine := n.at(vec{p.x * 90, p.y * 5, p.z * 90})
		bent := normal.add(vec{lock - .5, 0.2 * (fine - .5), fine - .5}.mul(0.7)).unit()
		return hair.mul(0.65 + 0.5*lock + 0.4*fine), 0.10, bent
	}
	s.put(loose, strands, vec{0.03, 2.25, 0.1}, 0.85, 0.85)
	torso := ellipsoid(vec{0, 0.72, 0}, vec{0.86, 0.80, 0.46})
	arms := blend(ellipsoid(vec{-0.66, 0.80, 0}, vec{0.32, 0.58, 0.34}), ellipsoid(vec{0.66, 0.80, 0}, vec{0.32, 0.58, 0.34}), 0.2)
	collar := thrown(curve{{0.27, 1.42}, {0.25, 1.52}, {0.24, 1.58}}, 0.05, 0.04, 0.02)
	s.put(blend(blend(torso, arms, 0.35), collar, 0.12), weave(n, func(vec) vec { return shirt }), vec{0, 0.85, 0}, 1.25, 0.85)
}
