// Asks the server once a second how things stand, and draws it. The browser does the binding by itself: no script here
// knows a cookie or a key.

const find = (id) => document.getElementById(id)
const MINUTE = 60_000
const WINDOW = 60 * MINUTE
const order = ['offered', 'registered', 'bound']

const hints = {
  out: 'Log in, and the server offers the browser to bind the session.',
  login: 'An ordinary session.',
  offered:
    'Offered. If this does not change, the browser does not bind sessions: see the terminal for how to start one that does.',
  registered: 'The browser has sent a key. Its next request proves it.',
  bound:
    'Bound. The browser renews the second cookie by itself. Copy the cookies, and see what they are worth.',
}

let lastValues = ''

async function refresh() {
  try {
    const response = await fetch('/state')
    if (response.ok) show(await response.json())
  } catch {
    find('hint').textContent = 'The server does not respond.'
  }
}

function show(told) {
  const { state, thief, speed } = told
  const reached = order.indexOf(state)
  for (const item of document.querySelectorAll('[data-state]')) {
    const at = order.indexOf(item.dataset.state)
    item.classList.toggle('done', at < reached)
    item.classList.toggle('now', at === reached)
  }
  const isOut = state === 'out'
  find('speed').textContent = speed === 60 ? 'one minute' : `${speed} seconds`
  find('hint').textContent = hintFor(told)
  find('login').hidden = !isOut
  find('logout').hidden = isOut
  find('copy').hidden = isOut
  badge(find('browser'), !isOut, isOut ? 'logged out' : 'let in')
  badge(find('thief'), thief?.isIn, thief === undefined ? '' : thief.isIn ? 'let in' : 'refused')
  showLoot(thief)
  showCookies(told)
  draw(told)
}

function hintFor({ state, thief }) {
  if (thief === undefined || state !== 'bound') return hints[state]
  if (thief.isIn === false) return 'The copy is dead. Nothing has changed for this browser.'
  return 'The thief is in: a copy of both cookies works until the second one is out of date. At most 15 minutes.'
}

function badge(element, isIn, text) {
  element.className = isIn ? 'in' : 'out'
  element.textContent = text
}

function showLoot(thief) {
  find('byhand').hidden = thief === undefined
  find('curl').textContent = thief?.curl ?? ''
  find('loot').textContent =
    thief === undefined
      ? 'Has nothing yet.'
      : 'Has both cookies and the User-Agent of this browser, and asks once a second.'
}

function showCookies({ cookies }) {
  const values = JSON.stringify(cookies)
  if (values === lastValues) return
  const known = lastValues
  lastValues = values
  find('cookies').replaceChildren(
    ...(cookies.length === 0 ? [line('No cookie.')] : cookies.map((one) => cookie(one, known))),
  )
}

function cookie({ name, value }, known) {
  const isBound = name.includes('-bound-')
  const box = document.createElement('p')
  box.className = isBound && known !== '' && !known.includes(value) ? 'cookie fresh' : 'cookie'
  const title = document.createElement('b')
  title.textContent = name
  const code = document.createElement('code')
  code.textContent = value
  const note = document.createElement('span')
  note.textContent = isBound
    ? 'The device has proven its key. For ten minutes.'
    : 'Whose session it is. For 30 days.'
  box.append(title, code, note)
  return box
}

function line(text) {
  const element = document.createElement('p')
  element.textContent = text
  return element
}

const SVG = 'http://www.w3.org/2000/svg'
function shape(name, attributes, text) {
  const element = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  if (text !== undefined) element.textContent = text
  return element
}

/** Two lines over time: the browser's and the thief's. */
function draw({ events, sights, now }) {
  const drawing = find('drawing')
  const { width, height } = drawing.getBoundingClientRect()
  drawing.setAttribute('viewBox', `0 0 ${width} ${height}`)
  const rows = { browser: 84, thief: 156 }
  const first = events[0]?.at ?? now
  const span = Math.min(WINDOW, Math.max(now - first, 20 * MINUTE))
  const x = (at) => 8 + (1 - (now - at) / span) * (width - 24)
  const parts = []
  for (const [who, y] of Object.entries(rows)) {
    parts.push(shape('line', { x1: 0, x2: width, y1: y, y2: y, class: 'axis' }))
    parts.push(
      shape('text', { x: 0, y: y + 26, class: 'who' }, who === 'browser' ? 'This browser' : 'The thief'),
    )
  }
  const isSeen = ({ at }) => at >= now - span
  for (const sight of sights.filter(isSeen)) parts.push(...dot(sight, x(sight.at), rows[sight.who]))
  parts.push(...labels(events.filter(isSeen), x, rows, width))
  for (let minutes = 0; minutes * MINUTE <= span; minutes += span > 30 * MINUTE ? 20 : 10) {
    const text = minutes === 0 ? 'now' : `${minutes} min ago`
    const at = x(now - minutes * MINUTE)
    const anchor = minutes === 0 ? 'end' : at < 40 ? 'start' : 'middle'
    parts.push(shape('text', { x: minutes === 0 ? width : at, y: height - 4, 'text-anchor': anchor }, text))
  }
  drawing.replaceChildren(...parts)
}

function dot({ isIn }, x, y) {
  if (isIn) return [shape('circle', { cx: x, cy: y, r: 3, class: 'in' })]
  const stroke = { class: 'out' }
  return [
    shape('line', { x1: x - 4, x2: x + 4, y1: y - 4, y2: y + 4, ...stroke }),
    shape('line', { x1: x - 4, x2: x + 4, y1: y + 4, y2: y - 4, ...stroke }),
  ]
}

/** The first ones have words; renewals are rings. Words that would overlap take the next height. */
function labels(events, x, rows, width) {
  const [lines, words] = [[], []]
  const ends = { browser: [], thief: [] }
  for (const { at, who, kind, text } of events) {
    const [left, y] = [x(at), rows[who]]
    if (kind === 'renewed') {
      lines.push(shape('circle', { cx: left, cy: y, r: 5, class: 'renewed' }))
      continue
    }
    const length = text.length * 6.4
    const start = Math.max(0, Math.min(left + 4, width - length))
    let level = ends[who].findIndex((end) => end < start)
    if (level === -1) level = ends[who].length
    ends[who][level] = start + length
    const top = y - 16 - level * 15
    lines.push(shape('line', { x1: left, x2: left, y1: y, y2: top + 2, class: 'event' }))
    words.push(shape('text', { x: start, y: top }, text))
  }
  return [...lines, ...words]
}

find('copy').addEventListener('click', () => {
  void fetch('/copy', { method: 'POST' }).then(refresh)
})
await refresh()
setInterval(() => void refresh(), 1_000)
