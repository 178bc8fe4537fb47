import type { SessionInfo } from 'express-sid'

export interface Shown {
  readonly pid: number
  readonly name: string | undefined
  readonly visits: number
  readonly list: readonly SessionInfo[]
}

/** The one page of the demo, readable on a phone. */
export function page({ pid, name, visits, list }: Shown): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>express-sid on several processes</title>
<style>${style}</style>
<main>
<h1>${name === undefined ? 'Welcome Stranger!' : `Welcome ${text(name)}!`}</h1>
<p>Process <b>${pid}</b> answered. Page views in this session: <b>${visits}</b>.
   Reload, and another process may answer: it knows you as well.</p>
${name === undefined ? loginForm : loggedIn(list)}
</main>
</html>`
}

const loginForm = `<form method="post" action="/login">
<label for="name">Your name</label>
<input id="name" name="name" autocomplete="username" maxlength="40" required>
<button>Log in</button>
</form>`

function loggedIn(list: readonly SessionInfo[]): string {
  return `<h2>Where you are logged in</h2>
<ul>${list.map(entry).join('')}</ul>
<form method="post" action="/logout-others"><button>Log out everywhere else</button></form>
<form method="post" action="/logout"><button>Log out</button></form>`
}

function entry({ id, label, ip, lastSeenAt, current }: SessionInfo): string {
  const when = new Date(lastSeenAt).toISOString().slice(0, 16).replace('T', ' ')
  const end = `<form method="post" action="/revoke"><input type="hidden" name="id" value="${text(id)}"><button>End</button></form>`
  return `<li><span><b>${text(label)}</b><br><small>${text(ip)}, last seen ${when} UTC</small></span>${current ? '<em>this one</em>' : end}</li>`
}

const escapes: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function text(value: string): string {
  return value.replace(/[&<>"']/g, (character) => escapes[character]!)
}

const style = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
main { max-width: 36rem; margin: 0 auto; padding: 1.5rem 1rem }
h1 { margin: 0 0 .5rem; overflow-wrap: anywhere }
h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem }
ul { list-style: none; padding: 0; margin: 0 0 1rem }
li { display: flex; justify-content: space-between; align-items: center; gap: 1rem; padding: .6rem 0; border-top: 1px solid #8884 }
form { margin: 0 0 .75rem }
li form { margin: 0 }
label { display: block }
input, button { font: inherit; padding: .55rem .8rem; border: 1px solid #8888; border-radius: .4rem }
input { width: 100%; box-sizing: border-box; margin: .25rem 0 .75rem }
button { cursor: pointer; min-height: 2.75rem }
`
