import { type TemplateResult, css, html, nothing } from "lit";
import type { PreviewAnswer } from "#contracts/api/home-assistant.ts";
import { messages, size } from "../words/home-assistant.ts";

/** What a change would do to the broker, with the topics for whoever wants to see them. */
export function outcome({ published, cleared, unchanged }: PreviewAnswer): TemplateResult {
  if (published.messages === 0 && cleared.messages === 0)
    return html`<p role="status">Nothing would change: ${messages(unchanged.messages)} would stay as they are.</p>`;
  const verbs = [
    ...(published.messages > 0
      ? [html`publish <b>${messages(published.messages)}</b> (${size(published.bytes)})`]
      : []),
    ...(cleared.messages > 0 ? [html`clear <b>${messages(cleared.messages)}</b>`] : []),
  ];
  const stays = unchanged.messages > 0 ? ` and leave ${messages(unchanged.messages)} as they are` : "";
  return html`<p role="status">
      It would ${verbs.map((verb, index) => [index === 0 ? "" : stays ? ", " : " and ", verb])}${stays}.
    </p>
    ${topicList("Topics to publish", published)} ${topicList("Topics to clear", cleared)}`;
}

function topicList(label: string, { messages: count, topics }: PreviewAnswer["cleared"]) {
  if (count === 0) return nothing;
  const more = count - topics.length;
  return html`<details>
    <summary>${label}</summary>
    <ul class="topics mono small">
      ${topics.map((topic) => html`<li>${topic}</li>`)}
    </ul>
    ${more > 0 ? html`<p class="quiet small">and ${more.toLocaleString()} more</p>` : nothing}
  </details>`;
}

export const outcomeStyles = css`
  summary {
    cursor: pointer;
  }
  .topics {
    max-height: 14rem;
    padding: var(--space-2) 0 0 var(--space-4);
    overflow: auto;
    overflow-wrap: anywhere;
  }
`;
