package main

import (
	"image"
	"math"
	"runtime"
	"sync"
)

// stuff tells what a surface looks like at a point: its colour in linear light, and its gloss from 0 (raw clay, cloth) to 1
// (glaze). It may bend the normal, as the ridges of throwing do.
type stuff func(p, normal vec) (colour vec, gloss float64, bent vec)

// still is a still life on a table before a wall, lit by a window.
type still struct {
	solids      []solid
	wall, table vec     // colours, linear
	edge        float64 // where the table meets the wall, z
	elevation   float64 // of the camera, radians
	look        vec     // the point in the middle of the picture
	span        float64 // height of the picture at that point, in units
	key         vec     // direction to the light of the window
	window      vec     // direction to the window's middle, as glaze mirrors it
	top         float64 // height of the highest solid
	noise       *noise
	turn        float64 // how far this piece is turned from another
	portrait    bool    // square
	place       place
}

const (
	cameraDistance = 8.0
	farthest       = 14.0
)

// nearest returns the distance to the scene and the solid that is there. Far from a solid it is content with less.
func (s *still) nearest(p vec) (float64, int) {
	best, which := math.Inf(1), -1
	for i := range s.solids {
		o := &s.solids[i]
		d := o.away(p)
		if d > best {
			continue
		}
		if d < 0.08 {
			d = o.form(p)
		}
		if d < best {
			best, which = d, i
		}
	}
	return best, which
}

// distance is exact near and far, for shadows: their softness is made of it. What lies beyond best does not matter to the caller.
func (s *still) distance(p vec, best float64) float64 {
	for i := range s.solids {
		if o := &s.solids[i]; o.away(p) < best {
			best = min(best, o.form(p))
		}
	}
	return best
}

func (s *still) normal(p vec, which int) vec {
	const e = 0.011
	f := s.solids[which].form
	// Four corners of a tetrahedron give the gradient with the fewest questions.
	a, b, c, d := f(vec{p.x + e, p.y - e, p.z - e}), f(vec{p.x - e, p.y - e, p.z + e}), f(vec{p.x - e, p.y + e, p.z - e}), f(vec{p.x + e, p.y + e, p.z + e})
	return vec{a - b - c + d, -a - b + c + d, -a + b - c + d}.unit()
}

// lit returns how much of the window a point sees: shadows are sharp where they touch and soften with distance.
func (s *still) lit(p vec) float64 {
	const softness = 5.0
	// Steps of equal length would draw rings; unequal ones leave a grain that the film's own hides.
	uneven := math.Float64bits(p.x*3.7+p.y*5.1+p.z*7.3) * 0x9e3779b97f4a7c15 >> 40
	stride := 0.8 + 0.4*float64(uneven)/(1<<24)
	light, t := 1.0, 0.035*stride
	for range 32 {
		at := p.add(s.key.mul(t))
		if at.y > s.top+t/softness { // nothing up here reaches into the beam
			break
		}
		d := s.distance(at, t/softness)
		light = min(light, 0.5+0.5*d*softness/t)
		if light < 0.02 || t > 2.8 {
			break
		}
		t += stride * max(0.02, min(0.17*t+0.02, math.Abs(d)*0.9+0.01))
	}
	light = clamp(light)
	return light * light * (3 - 2*light)
}

// open returns how much of the sky a point sees, 0 to 1.
func (s *still) open(p, n vec) float64 {
	shut, weight := 0.0, 0.38
	for _, h := range [...]float64{0.42, 0.2, 0.09, 0.03} {
		q := p.add(n.mul(h))
		d := min(s.distance(q, h), q.y)
		if d >= h-1e-9 { // what is free this far is free nearer by
			return clamp(1 - 0.42*shut)
		}
		shut += (h - d) / h * weight
		weight /= 0.72
	}
	return clamp(1 - 0.42*shut)
}

// room is what a glossy surface mirrors: a tall window with a bar at the left, a pale card at the right, wall, table.
func (s *still) room(d vec, soft float64) vec {
	c := s.wall.mul(0.55).mix(vec{1, 1, 1}, 0.25*clamp(d.y))
	if d.y < 0 {
		c = s.table.mul(0.45)
	}
	side := s.window.cross(vec{0, 1, 0}).unit()
	up := side.cross(s.window)
	if ahead := d.dot(s.window); ahead > 0.05 {
		u, v := d.dot(side)/ahead, d.dot(up)/ahead
		pane := smooth(-0.42-soft, -0.42+soft, u) * (1 - smooth(0.42-soft, 0.42+soft, u)) *
			smooth(-0.75-soft, -0.75+soft, v) * (1 - smooth(0.75-soft, 0.75+soft, v))
		bar := 1 - 0.75*(1-smooth(0.015, 0.03+soft, math.Abs(u)))
		c = c.add(vec{1, 0.975, 0.93}.mul(5.2 * pane * bar))
	}
	card := smooth(0.80, 0.98, d.dot(vec{0.93, 0.22, 0.3}))
	return c.add(vec{0.92, 0.96, 1}.mul(0.55 * card))
}

// object shades a point of a solid.
func (s *still) object(p, ray vec, which int) vec {
	n := s.normal(p, which)
	colour, gloss, bent := s.solids[which].stuff(p, n)
	open := s.open(p.add(n.mul(0.004)), n)
	light := 0.0
	if facing := bent.dot(s.key); facing > -0.15 {
		light = clamp((facing+0.15)/1.15) * s.lit(p.add(n.mul(0.02)))
	}
	sky := 0.5 + 0.5*bent.y
	ambient := vec{0.36, 0.38, 0.41}.mul(0.35 + 0.65*sky).add(s.table.mul(0.30 * (1 - sky)))
	c := colour.each(vec{1.02, 0.97, 0.90}.mul(1.05 * light).add(ambient.mul(open)))
	if gloss > 0 {
		mirror := ray.sub(bent.mul(2 * ray.dot(bent)))
		grazing := 1 - clamp(-ray.dot(bent))
		fresnel := 0.045 + 0.75*grazing*grazing*grazing*grazing*grazing
		seen := open * open * (0.35 + 0.65*clamp(light*1.6+0.2))
		c = c.add(s.room(mirror, 0.05+0.30*(1-gloss)).mul(fresnel * gloss * seen))
	}
	return c
}

// ground shades the table and the wall behind it.
func (s *still) ground(eye, ray vec) vec {
	t := farthest
	if ray.y < -1e-4 {
		t = -eye.y / ray.y
	}
	if behind := (s.edge - eye.z) / ray.z; t > behind {
		p := eye.add(ray.mul(behind))
		return s.wallAt(p)
	}
	p := eye.add(ray.mul(t))
	p.y = 0
	grain := s.noise.cloud(vec{p.x * 1.3, 3, p.z * 2.1})*0.05 + s.noise.at(vec{p.x * 60, 9, p.z * 60})*0.012
	falloff := 1.06 - 0.10*(p.x+0.4) + 0.05*p.z
	shadow, open := 1.0, 1.0
	if s.near(p) {
		shadow = s.lit(vec{p.x, 0.004, p.z})
		open = s.open(vec{p.x, 0.002, p.z}, vec{0, 1, 0})
	}
	light := vec{1.02, 0.97, 0.90}.mul(0.66 * falloff * (0.10 + 0.90*shadow)).add(vec{0.30, 0.32, 0.35}.mul(0.35 + 0.65*open))
	c := s.table.mul(0.97 + grain).each(light)
	// The lens is focused on the things: the far edge of the table is a soft band.
	return c.mix(s.wallAt(vec{p.x, 0, s.edge}), smooth(s.edge+0.50, s.edge, p.z)*0.5)
}

// near says whether a shadow can reach a point of the table.
func (s *still) near(p vec) bool {
	for i := range s.solids {
		o := &s.solids[i]
		// Off the line from the point to the window, the solid stays outside the penumbra.
		q := o.centre.sub(p)
		along := max(0, q.dot(s.key))
		if q.sub(s.key.mul(along)).length() < o.radius+0.25+0.2*along {
			return true
		}
	}
	return false
}

// wallAt is a plastered wall with the window's light lying across it.
func (s *still) wallAt(p vec) vec {
	glow := 0.80 + 0.26*math.Exp(-0.22*((p.x+1.1)*(p.x+1.1)+(p.y-2.3)*(p.y-2.3))) - 0.035*p.x
	u, v := p.x+0.45*p.y-0.55, p.y-0.9
	const soft = 0.22
	pane := smooth(-0.95-soft, -0.95+soft, u) * (1 - smooth(0.75-soft, 0.75+soft, u)) * smooth(-0.2-soft, -0.2+soft, v)
	pane *= 1 - 0.55*(1-smooth(0.02, 0.16, math.Abs(u+0.1))) - 0.45*(1-smooth(0.02, 0.16, math.Abs(v-1.05)))
	plaster := 0.985 + 0.03*s.noise.cloud(vec{p.x * 1.7, p.y * 1.7, 5})
	c := s.wall.mul(glow * plaster)
	foot := 0.90 + 0.10*smooth(0, 0.35, p.y-0) // where wall and table meet, less sky is seen
	return c.mul(foot).add(s.wall.each(vec{0.135, 0.118, 0.085}).mul(pane))
}

// photograph renders the scene at width x height: the colour of every pixel in linear light.
func (s *still) photograph(width, height int) []vec {
	film := make([]vec, width*height)
	for i := range s.solids {
		s.top = max(s.top, s.solids[i].centre.y+s.solids[i].half)
	}
	sin, cos := math.Sincos(s.elevation)
	eye := s.look.add(vec{0, sin, cos}.mul(cameraDistance))
	forward, up := vec{0, -sin, -cos}, vec{0, cos, -sin}
	scale := s.span / cameraDistance / float64(height)
	rows(height, func(y int) {
		for x := range width {
			u, v := (float64(x)+0.5-float64(width)/2)*scale, (float64(height)/2-float64(y)-0.5)*scale
			ray := forward.add(vec{u, 0, 0}).add(up.mul(v)).unit()
			film[y*width+x] = s.trace(eye, ray, scale)
		}
	})
	return film
}

// trace follows one ray. A ray that passes an edge within a pixel takes a part of its colour, so that outlines are smooth.
func (s *still) trace(eye, ray vec, pixel float64) vec {
	t, end := s.passage(eye, ray)
	last := math.Inf(1)
	edge, edgeAt := 1.0, 0.0 // how far the nearest passed edge is, in pixels, and where
	hit, which := false, -1
	for range 110 {
		p := eye.add(ray.mul(t))
		if t > end || p.y < -0.02 {
			break
		}
		var d float64
		d, which = s.nearest(p)
		if d < 0.15*t*pixel {
			hit = true
			break
		}
		if apart := last / (t * pixel); d > last && apart < edge {
			edge, edgeAt = apart, t-last*0.96
		}
		last = d
		t += d * 0.96
	}
	var c vec
	if hit {
		c = s.object(eye.add(ray.mul(t)), ray, which)
	} else {
		c = s.ground(eye, ray)
	}
	if edge < 1 && (!hit || t-edgeAt > 0.05) {
		p := eye.add(ray.mul(edgeAt))
		if _, which := s.nearest(p); which >= 0 {
			c = c.mix(s.object(p, ray, which), 1-edge)
		}
	}
	return c
}

// passage returns where a ray enters the first sphere round a solid and where it leaves the last; the end lies before the
// beginning when it meets none.
func (s *still) passage(eye, ray vec) (from, to float64) {
	from, to = math.Inf(1), 0
	for i := range s.solids {
		o := &s.solids[i]
		q := o.centre.sub(eye)
		middle, reach := q.dot(ray), o.radius+0.01
		if half := reach*reach - q.dot(q) + middle*middle; half > 0 {
			half = math.Sqrt(half)
			from, to = min(from, middle-half), max(to, middle+half)
		}
	}
	return from, to
}

// rows calls do for every row, on every processor.
func rows(height int, do func(y int)) {
	var all sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		all.Go(func() {
			for y := w; y < height; y += workers {
				do(y)
			}
		})
	}
	all.Wait()
}

// develop turns linear light into a picture of width x height: enlarges, darkens the corners a little, rolls off the
// highlights, adds grain.
func develop(film []vec, filmWidth, filmHeight, width, height int, seed int64) *image.RGBA {
	var curve [4096]float64 // from linear to encoded, over 0 to 2
	for i := range curve {
		curve[i] = 255 * encoded(float64(i)/2047.5)
	}
	print := image.NewRGBA(image.Rect(0, 0, width, height))
	rows(height, func(y int) {
		grain := uint32(seed)*2654435761 ^ uint32(y)*2246822519 | 1
		fy := max(0, min(float64(filmHeight)-1.001, (float64(y)+0.5)*float64(filmHeight)/float64(height)-0.5))
		row := int(fy)
		v := fy - float64(row)
		dy := (float64(y)/float64(height) - 0.5) * 2
		for x := range width {
			fx := max(0, min(float64(filmWidth)-1.001, (float64(x)+0.5)*float64(filmWidth)/float64(width)-0.5))
			column := int(fx)
			u := fx - float64(column)
			at := row*filmWidth + column
			c := film[at].mul((1 - u) * (1 - v)).add(film[at+1].mul(u * (1 - v))).
				add(film[at+filmWidth].mul((1 - u) * v)).add(film[at+filmWidth+1].mul(u * v))
			dx := (float64(x)/float64(width) - 0.5) * 2
			c = c.mul(1 - 0.07*(dx*dx+dy*dy))
			grain ^= grain << 13
			grain ^= grain >> 17
			grain ^= grain << 5
			speck := (float64(grain&255)+float64(grain>>8&255)-255)*0.011 + 0.5
			to := print.Pix[print.PixOffset(x, y):][:4]
			for i, value := range [3]float64{c.x, c.y, c.z} {
				to[i] = byte(max(0, min(255, curve[int(max(0, min(4095, value*2047.5)))]+speck)))
			}
			to[3] = 255
		}
	})
	return print
}

// encoded is the film's response: the sRGB curve with a shoulder, so that white glaze keeps its drawing.
func encoded(linear float64) float64 {
	const knee = 0.62
	if linear > knee {
		linear = knee + (1-knee)*(1-math.Exp(-(linear-knee)/(1-knee)))
	}
	if linear <= 0.0031308 {
		return 12.92 * linear
	}
	return 1.055*math.Pow(linear, 1/2.4) - 0.055
}
