/**
 * What is tried first, in lower case. Words of themselves, for figures and signs around them are taken off before they are
 * looked up; a text shorter than the least length stands for the longer ones that are made of it.
 */
const words = `
password passwords passwordpassword passw0rd iloveyou iloveyouforever letmein letmeinplease welcome welcomehome trustno
administrator adminadmin adminadminadmin admin adminpassword passwordadmin root rootroot rootrootroot toor superuser supervisor
administrators administration changeme changemeplease changeit changemenow default defaultpassword secret secretpassword topsecret
temp temporary temporarypassword test testtest testtesttest testing testpassword demo demodemo demopassword sample samplesample
qwerty qwertyuiop qwertyuiopasdf qwertyqwerty qwertyuiopasdfghjklzxcvbnm asdfghjkl asdfghjklzxcvbnm zxcvbnm zxcvbnmasdfghjkl
qazwsx qazwsxedc qazwsxedcrfv qazwsxedcrfvtgb abcabc abcabcabc abcabcabcabc abcdefg abcdefgh abcdefghi
football basketball baseball superman batman dragon monkey shadow master sunshine princess michael jordan computer internet
correcthorsebatterystaple thequickbrownfox thisismypassword mypassword mypasswordis mypass yourpassword nopassword nopasswordhere
woaini woainiwoaini woaiwojia woaizhongguo zhongguo zhonghua zhongguoren beijing shanghai guangzhou shenzhen zhuhai wangluo
mima mimamima mimaguanli guanliyuan guanli jiaoyi jiaoyizhongxin zhongxin ggzy ggzyjy ggzyjyzx gonggongziyuan gonggongziyuanjiaoyi
huilian huilianhuilian huiliannode consortium hyperledger fabric blockchain lianmeng operator operators operatoroperator
auditor auditors auditorauditor console consolepassword server database postgres postgresql oracle mysql
loveyou lovelove lovelovelove fuckyou startstart startrek starwars whatever whateverwhatever access accesscontrol login loginlogin
signin signinsignin hello helloworld hellohello hellohellohello goodmorning goodluck happynewyear happybirthday
spring summer autumn winter january february march april june july august september october november december monday sunday
`;

/** Of figures and mixed ones, which have nothing to take off. */
const figures = `
1q2w3e4r5t6y 1qaz2wsx3edc 1qaz2wsx3edc4rfv q1w2e3r4t5y6 qwe123qwe123 abc123abc123 a1b2c3d4e5f6 123qweasdzxc qweasdzxc123
123456123456 123123123123 112233445566 121212121212 147258369147 159753159753 789456123789 100200300400 520520520520 5201314520131
woaini5201314 woaini1314520 zxcvbnm123456 asdfgh123456 qwerty123456 abcd12345678 1234qwerasdf 1234567890qwerty qwertyuiop1234567890
`;

export const guessedPasswords: ReadonlySet<string> = new Set([...words.trim().split(/\s+/), ...figures.trim().split(/\s+/)]);
