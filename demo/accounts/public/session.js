// On every page of a member: warns before the session ends, and says when it has ended.

const ending = document.querySelector('#ending')
const ended = document.querySelector('#ended')
let timer

/** What the server says of the time that is left. To ask moves nothing; a POST extends. */
async function look(method = 'GET') {
  const answer = await fetch('/session', { method, headers: { Accept: 'application/json' } }).catch(
    () => undefined,
  )
  if (answer?.status === 401) return showEnded()
  if (!answer?.ok) return lookIn(30)
  const { idleSeconds, absoluteSeconds } = await answer.json()
  const left = Math.min(idleSeconds, absoluteSeconds)
  // Two minutes before the end; of a session that is quite short, when half of it is over.
  look.warnAt ??= Math.min(120, Math.ceil(left / 2))
  if (left <= look.warnAt) return warn(left)
  if (ending.open) ending.close()
  lookIn(Math.min(left - look.warnAt, 300))
}

/** Counts down, and asks again in between: another tab may have been used. */
function warn(left) {
  ending.querySelector('output').textContent = left === 1 ? '1 second' : `${left} seconds`
  if (!ending.open) ending.showModal()
  clearTimeout(timer)
  timer = setTimeout(() => (left > 1 && left % 5 !== 0 ? warn(left - 1) : void look()), 1000)
}

function lookIn(seconds) {
  clearTimeout(timer)
  timer = setTimeout(() => void look(), seconds * 1000)
}

function showEnded() {
  clearTimeout(timer)
  if (ending.open) ending.close()
  const link = ended.querySelector('a')
  link.href = `/sign-in?returnTo=${encodeURIComponent(location.pathname)}`
  // Nothing of the page stays to be read.
  document.querySelector('main').replaceChildren()
  if (!ended.open) ended.showModal()
}

document.querySelector('#stay').addEventListener('click', () => void look('POST'))
ending.addEventListener('cancel', () => void look('POST'))
ended.addEventListener('cancel', (event) => event.preventDefault())
document.addEventListener('session-ended', () => void look())
document.addEventListener('visibilitychange', () => void (document.hidden || look()))
for (const time of document.querySelectorAll('time')) {
  time.textContent = new Date(time.dateTime).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })
}
await look()
