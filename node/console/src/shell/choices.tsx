import { ActionIcon, Button, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import type { ReactNode } from 'react';
import { Icon } from '../parts/icons.js';
import { useWords } from '../words/use-words.js';
import styles from './shell.module.css';

/** Language and colours. */
export function Choices(): ReactNode {
  const { language, setLanguage, t } = useWords();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const next = scheme === 'dark' ? 'light' : 'dark';
  return (
    <div className={styles['choices']}>
      <Button lang={language === 'zh' ? 'en' : 'zh-CN'} leftSection={<Icon name="language" />} onClick={() => { setLanguage(language === 'zh' ? 'en' : 'zh'); }} size="compact-sm" variant="subtle">
        {language === 'zh' ? 'English' : '中文'}
      </Button>
      <ActionIcon aria-label={t(next === 'dark' ? 'app.dark' : 'app.light')} onClick={() => { setColorScheme(next); }} size="md" variant="subtle">
        <Icon name={next === 'dark' ? 'moon' : 'sun'} />
      </ActionIcon>
    </div>
  );
}
