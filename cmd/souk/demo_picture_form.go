package main

import "math"

// vec is a point or a direction: x to the right, y up, z towards the camera. One unit is about ten centimetres.
type vec struct{ x, y, z float64 }

func (a vec) add(b vec) vec            { return vec{a.x + b.x, a.y + b.y, a.z + b.z} }
func (a vec) sub(b vec) vec            { return vec{a.x - b.x, a.y - b.y, a.z - b.z} }
func (a vec) mul(k float64) vec        { return vec{a.x * k, a.y * k, a.z * k} }
func (a vec) each(b vec) vec           { return vec{a.x * b.x, a.y * b.y, a.z * b.z} }
func (a vec) dot(b vec) float64        { return a.x*b.x + a.y*b.y + a.z*b.z }
func (a vec) length() float64          { return math.Sqrt(a.dot(a)) }
func (a vec) unit() vec                { return a.mul(1 / a.length()) }
func (a vec) mix(b vec, k float64) vec { return a.mul(1 - k).add(b.mul(k)) }
func (a vec) cross(b vec) vec {
	return vec{a.y*b.z - a.z*b.y, a.z*b.x - a.x*b.z, a.x*b.y - a.y*b.x}
}

func clamp(x float64) float64 { return max(0, min(1, x)) }

// smooth rises from 0 at a to 1 at b.
func smooth(a, b, x float64) float64 {
	x = clamp((x - a) / (b - a))
	return x * x * (3 - 2*x)
}

// form is the distance from a point to a surface, negative inside. It may be too small, never too large.
type form func(p vec) float64

// solid is a form with what it is made of. It lies inside a sphere, and no higher or lower than half from the middle.
type solid struct {
	form         form
	stuff        stuff
	centre       vec
	radius, half float64
}

// away is how far a point is from the solid at least; not above zero near it.
func (o *solid) away(p vec) float64 {
	q := p.sub(o.centre)
	return max(math.Sqrt(q.dot(q))-o.radius, math.Abs(q.y)-o.half)
}

// blend joins two forms with a fillet of about k, as clay is joined with slip.
func blend(a, b form, k float64) form {
	return func(p vec) float64 {
		d, e := a(p), b(p)
		h := max(k-math.Abs(d-e), 0)
		return min(d, e) - h*h/(4*k)
	}
}

func moved(f form, by vec) form { return func(p vec) float64 { return f(p.sub(by)) } }

// turned rotates a form round the upright axis.
func turned(f form, angle float64) form {
	sin, cos := math.Sincos(angle)
	return func(p vec) float64 { return f(vec{p.x*cos - p.z*sin, p.y, p.x*sin + p.z*cos}) }
}

func ellipsoid(centre, radii vec) form {
	inverse := vec{1 / radii.x, 1 / radii.y, 1 / radii.z}
	return func(p vec) float64 {
		q := p.sub(centre).each(inverse)
		return (q.length() - 1) * q.length() / max(q.each(inverse).length(), 1e-6)
	}
}

// slab is a box with its edges rounded by r.
func slab(centre, half vec, r float64) form {
	return func(p vec) float64 {
		q := p.sub(centre)
		x, y, z := math.Abs(q.x)-half.x+r, math.Abs(q.y)-half.y+r, math.Abs(q.z)-half.z+r
		out := vec{max(x, 0), max(y, 0), max(z, 0)}
		return out.length() + min(max(x, y, z), 0) - r
	}
}

// thrown is a shell turned on the wheel round the upright axis: the profile runs in (radius, height) from the middle of the bottom to
// the rim, the wall is thick at the bottom and thin at the rim. out is how far the hand strayed from round.
func thrown(profile curve, thick, thin, out float64) form {
	field := newField(profile)
	return func(p vec) float64 {
		r2 := p.x*p.x + p.z*p.z
		r := math.Sqrt(r2)
		if r2 > 1e-9 {
			r += out * (p.x*p.x - p.z*p.z + p.x*p.z) / r2
		}
		d, t := field.at(r, p.y)
		return d - (thick+(thin-thick)*t)/2
	}
}

// pulled is a rope of clay along a curve in the plane (x, y): a handle, a spout. It is wide across that plane by flat.
func pulled(path curve, from, to, flat float64) form {
	field := newField(path)
	return func(p vec) float64 {
		d, t := field.at(p.x, p.y)
		z := p.z / flat
		return (math.Sqrt(d*d+z*z) - (from + (to-from)*t)) * min(1, 1/flat+0.35)
	}
}

// curve is a line through points, smooth between them.
type curve [][2]float64

// sampled returns n+1 points of the centripetal-like Catmull-Rom spline through the points, evenly spread over its parameter.
func (c curve) sampled(n int) curve {
	out := make(curve, 0, n+1)
	last := len(c) - 1
	for i := range n + 1 {
		s := float64(i) / float64(n) * float64(last)
		k := min(int(s), last-1)
		u := s - float64(k)
		a, b, d, e := c[max(k-1, 0)], c[k], c[k+1], c[min(k+2, last)]
		var p [2]float64
		for j := range p {
			p[j] = b[j] + u/2*(d[j]-a[j]+u*(2*a[j]-5*b[j]+4*d[j]-e[j]+u*(3*(b[j]-d[j])+e[j]-a[j])))
		}
		out = append(out, p)
	}
	return out
}

// field holds the distance to a curve and the place on it (0 to 1) at the nodes of a grid: the renderer asks for it a
// hundred million times.
type field struct {
	left, bottom, step float64
	across, up         int
	nodes              [][2]float32
}

const (
	fieldStep   = 0.016
	fieldMargin = 0.12
)

func newField(c curve) *field {
	line := c.sampled(8 * len(c))
	left, bottom, right, top := line[0][0], line[0][1], line[0][0], line[0][1]
	for _, p := range line {
		left, right = min(left, p[0]), max(right, p[0])
		bottom, top = min(bottom, p[1]), max(top, p[1])
	}
	f := &field{left: left - fieldMargin, bottom: bottom - fieldMargin, step: fieldStep}
	f.across = int((right-left+2*fieldMargin)/f.step) + 2
	f.up = int((top-bottom+2*fieldMargin)/f.step) + 2
	f.nodes = make([][2]float32, f.across*f.up)
	for j := range f.up {
		for i := range f.across {
			d, t := line.nearest(f.left+float64(i)*f.step, f.bottom+float64(j)*f.step)
			f.nodes[j*f.across+i] = [2]float32{float32(d), float32(t)}
		}
	}
	return f
}

// nearest returns the distance from a point to a polyline and where on it the nearest point lies, 0 to 1.
func (c curve) nearest(x, y float64) (distance, place float64) {
	best := math.Inf(1)
	for i := range len(c) - 1 {
		ax, ay := c[i][0], c[i][1]
		bx, by := c[i+1][0]-ax, c[i+1][1]-ay
		u := clamp(((x-ax)*bx + (y-ay)*by) / max(bx*bx+by*by, 1e-12))
		dx, dy := x-ax-u*bx, y-ay-u*by
		if d := dx*dx + dy*dy; d < best {
			best, place = d, (float64(i)+u)/float64(len(c)-1)
		}
	}
	return math.Sqrt(best), place
}

// at interpolates. Beyond the grid it answers with no more than the true distance.
func (f *field) at(x, y float64) (distance, place float64) {
	i, j := (x-f.left)/f.step, (y-f.bottom)/f.step
	u, v := max(0, min(float64(f.across)-1.001, i)), max(0, min(float64(f.up)-1.001, j))
	beyond := 0.0
	if u != i || v != j {
		beyond = math.Sqrt((i-u)*(i-u)+(j-v)*(j-v)) * f.step
	}
	column, row := int(u), int(v)
	u, v = u-float64(column), v-float64(row)
	n := row*f.across + column
	a, b, c, d := &f.nodes[n], &f.nodes[n+1], &f.nodes[n+f.across], &f.nodes[n+f.across+1]
	low, high := float64(a[0])+u*float64(b[0]-a[0]), float64(c[0])+u*float64(d[0]-c[0])
	near := low + v*(high-low)
	if beyond > 0 {
		// The way to the grid and the way on meet at a right angle or more.
		near = math.Sqrt(near*near + beyond*beyond)
	}
	return near, float64(a[1]) + u*float64(b[1]-a[1]) + v*float64(c[1]-a[1])
}

// noise is smooth randomness in space, the same for the same seed.
type noise struct {
	shuffle [512]uint8
	value   [256]float64
}

func newNoise(seed int64) *noise {
	n := new(noise)
	state := uint64(seed)*0x9e3779b97f4a7c15 + 1
	next := func() uint64 { // xorshift64*
		state ^= state >> 12
		state ^= state << 25
		state ^= state >> 27
		return state * 0x2545f4914f6cdd1d
	}
	for i := range 256 {
		n.shuffle[i] = uint8(i)
		n.value[i] = float64(next()>>11) / (1 << 53)
	}
	for i := 255; i > 0; i-- {
		j := next() % uint64(i+1)
		n.shuffle[i], n.shuffle[j] = n.shuffle[j], n.shuffle[i]
	}
	copy(n.shuffle[256:], n.shuffle[:256])
	return n
}

func (n *noise) cell(i, j, k int) int {
	return int(n.shuffle[int(n.shuffle[int(n.shuffle[i&255])+j&255])+k&255])
}

// at returns 0 to 1, changing over about one unit.
func (n *noise) at(p vec) float64 {
	fx, fy, fz := math.Floor(p.x), math.Floor(p.y), math.Floor(p.z)
	i, j, k := int(fx), int(fy), int(fz)
	u, v, w := p.x-fx, p.y-fy, p.z-fz
	u, v, w = u*u*(3-2*u), v*v*(3-2*v), w*w*(3-2*w)
	line := func(j, k int) float64 {
		a, b := n.value[n.cell(i, j, k)], n.value[n.cell(i+1, j, k)]
		return a + u*(b-a)
	}
	a, b := line(j, k), line(j, k+1)
	a += v * (line(j+1, k) - a)
	b += v * (line(j+1, k+1) - b)
	return a + w*(b-a)
}

// cloud sums three sizes of noise, 0 to 1.
func (n *noise) cloud(p vec) float64 {
	return (4*n.at(p) + 2*n.at(p.mul(2.1)) + n.at(p.mul(4.3))) / 7
}

// specks returns how much of the point is covered by round spots; one cell in a few holds one.
func (n *noise) specks(p vec, share float64) float64 {
	// Cells that lie askew to every surface show no rows.
	p = vec{0.78*p.x + 0.41*p.y - 0.47*p.z, -0.28*p.x + 0.90*p.y + 0.33*p.z, 0.56*p.x - 0.13*p.y + 0.82*p.z}
	fx, fy, fz := math.Floor(p.x), math.Floor(p.y), math.Floor(p.z)
	id := n.cell(int(fx), int(fy), int(fz))
	if n.value[id] > share {
		return 0
	}
	size := 0.10 + 0.28*n.value[(id+97)&255]*n.value[(id+151)&255]
	middle := vec{0.5, 0.5, 0.5}.add(vec{n.value[(id+11)&255] - .5, n.value[(id+29)&255] - .5, n.value[(id+53)&255] - .5}.mul(0.3))
	d := p.sub(vec{fx, fy, fz}).sub(middle).length()
	return 1 - smooth(size*0.55, size, d)
}
