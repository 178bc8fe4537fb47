// The notebook: says on how many devices it is open now, and closes when its session is ended elsewhere.

const live = document.querySelector('#live')
const words = live.querySelector('.words')

function show(state, text) {
  live.dataset.state = state
  words.textContent = text
}

function connect() {
  const stream = new EventSource('/live')
  stream.addEventListener('here', ({ data }) => {
    show('open', data === '1' ? 'Live on this device' : `Live on ${data} devices`)
  })
  stream.addEventListener('ended', () => {
    stream.close()
    void leaveOrGoOn()
  })
  stream.addEventListener('error', () => {
    show('connecting', 'Connecting')
    // A browser tries again by itself, but not after a 401.
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => void leaveOrGoOn(), 2_000)
  })
}

/** The session may have been replaced by another one of this browser, as a new password does. */
async function leaveOrGoOn() {
  const answer = await fetch('/session', { headers: { Accept: 'application/json' } }).catch(() => undefined)
  if (answer?.ok) return connect()
  show('ended', 'Closed')
  document.dispatchEvent(new Event('session-ended'))
}

connect()
