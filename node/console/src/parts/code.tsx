import { useState, type ReactNode } from 'react';
import { useWords } from '../words/use-words.js';
import { Icon } from './icons.js';
import styles from './parts.module.css';

/** An id or a digest; long ones are shown by both ends, and copied whole. */
export function Code({ label, short = false, text }: { readonly text: string; readonly label: string; readonly short?: boolean }): ReactNode {
  const { t } = useWords();
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text).then(() => { setCopied(true); }, () => undefined);
    setTimeout(() => { setCopied(false); }, 1500);
  };
  return (
    <span className={styles['copyable']}>
      <span className={styles['code']} title={text}>{short ? shortened(text) : text}</span>
      <button aria-label={`${t(copied ? 'state.copied' : 'state.copy')} ${label}`} className={styles['copyButton']} onClick={() => void copy()} type="button">
        <Icon name={copied ? 'check' : 'copy'} size={14} />
      </button>
    </span>
  );
}

/** Without a button, for lists. */
export function PlainCode({ short = false, text }: { readonly text: string; readonly short?: boolean }): ReactNode {
  return <span className={styles['code']} title={text}>{short ? shortened(text) : text}</span>;
}

function shortened(text: string): string {
  return text.length <= 22 ? text : `${text.slice(0, 10)}…${text.slice(-8)}`;
}
