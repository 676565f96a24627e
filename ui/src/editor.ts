// The SQL editor. Loaded when the SQL page is opened first, so that the other pages start without it.
// It lives in a shadow root: there its style sheets are adopted, which a strict content policy allows.

import { autocompletion, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { PostgreSQL, sql, type SQLNamespace } from '@codemirror/lang-sql';
import { bracketMatching, defaultHighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { Compartment, EditorState, Prec } from '@codemirror/state';
import { drawSelection, EditorView, keymap, lineNumbers, placeholder } from '@codemirror/view';

export interface Editor {
  text: () => string;
  set: (text: string) => void;
  complete: (schema: SQLNamespace) => void;
  close: () => void;
}

const look = EditorView.theme({
  '&': { fontSize: '13px', backgroundColor: 'var(--field)', color: 'var(--ink)', border: '1px solid var(--rule)', borderRadius: '4px' },
  '&.cm-focused': { outline: '2px solid var(--accent)' },
  '.cm-content': { fontFamily: 'var(--mono)', minHeight: '96px', caretColor: 'var(--ink)' },
  '.cm-placeholder': { color: 'var(--quiet)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': { backgroundColor: 'var(--field)', color: 'var(--quiet)', border: 'none' },
  '.cm-tooltip': { backgroundColor: 'var(--panel)', color: 'var(--ink)', border: '1px solid var(--rule)' },
});

export function openEditor(parent: HTMLElement, text: string, run: () => void): Editor {
  const root = parent.shadowRoot ?? parent.attachShadow({ mode: 'open' });
  const language = new Compartment();
  const sqlWith = (schema: SQLNamespace) => sql({ dialect: PostgreSQL, schema, upperCaseKeywords: true });
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        Prec.highest(keymap.of([{ key: 'Mod-Enter', run: () => (run(), true) }])),
        lineNumbers(),
        history(),
        drawSelection(),
        bracketMatching(),
        autocompletion(),
        syntaxHighlighting(defaultHighlightStyle, { fallback: true }),
        language.of(sqlWith({})),
        placeholder('SELECT …'),
        // Tab leaves the editor: it must not hold a keyboard's user.
        keymap.of([...completionKeymap, ...historyKeymap, ...defaultKeymap]),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': 'SQL' }),
        look,
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    set: (next) => {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } });
    },
    complete: (schema) => {
      view.dispatch({ effects: language.reconfigure(sqlWith(schema)) });
    },
    close: () => {
      view.destroy();
    },
  };
}
