import type { Request } from 'express'
import type { Account } from '../accounts.js'
import { layout } from './layout.js'
import { type Html, markup } from './markup.js'

/** For support staff: the members, and what can be done for them. */
export function supportPage(req: Request, members: readonly Account[], said?: string): Html {
  const body = markup`<h1>Support</h1>
<p class="lead">All that you do here is written to the activity of the member.</p>
${said !== undefined && markup`<p class="said" role="status">${said}</p>`}
<ul class="members">
${members.map(
  ({ id, name, email }) => markup`<li><span><b id="member-${id}">${name}</b><br><small>${email}</small></span>
<span class="row"><form method="post" action="/support/${id}/act"><button id="act-${id}" aria-labelledby="act-${id} member-${id}">Act as</button></form>
<form method="post" action="/support/${id}/end"><button class="quiet" id="end-${id}" aria-labelledby="end-${id} member-${id}">Sign out everywhere</button></form></span></li>\n`,
)}</ul>
${members.length === 0 && markup`<p>Nobody has signed up yet.</p>`}`
  return layout(req, { title: 'Support', body })
}
