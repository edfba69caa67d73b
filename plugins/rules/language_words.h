/*
 * language_words.h: words of conversation that stand in most sentences of a language, and letters that stand out in it.
 * The data of language.c, for it alone.
 */
#ifndef RULES_LANGUAGE_WORDS_H
#define RULES_LANGUAGE_WORDS_H

enum script { LATIN, CYRILLIC, GREEK, HAN, KANA, HANGUL, ARABIC, HEBREW, THAI, DEVANAGARI, SCRIPTS };

static const struct {
	const char *code;
	enum script script;
	const char *letters;
	const char *words;
} languages[] = {
	{ "en", LATIN, "",
	  "the of and to in is that it for you was with on as have but be they are at this from or had by not what all "
	  "were when we there can an your which their said if do will each about how up out them then she many some so "
	  "these would other into has more her two like him see could no make than first been its who now my over did "
	  "down only way find use may where why does i me please thanks thank hello hi want need get our should don't "
	  "it's i'm can't any just much without before still here today tomorrow again after am know" },
	{ "de", LATIN, "äöüß",
	  "diesen dieses zwei drei kurz kurzes immer nie neue neu ins am der die das und ist nicht ich ein eine einen "
	  "einem einer zu den dem des mit sich auf für von im in an als auch es sie er wir ihr man aber wie was wo wann "
	  "warum oder wenn so nur noch nach bei aus dass hat habe haben wird werden sind war sein kann können muss mein "
	  "meine dein ihre unser über um zum zur vom keine kein mir mich dir dich ihnen bitte danke hallo guten gibt "
	  "welche schon sehr mehr hier heute morgen gestern wieder bin möchte wurde diese dieser bis durch seit ohne" },
	{ "nl", LATIN, "ëé",
	  "twee drie kort nieuwe nieuw altijd nooit dit deze de het een en van ik te dat die in is niet zijn op aan met "
	  "als voor er maar om hem dan zou of wat mijn men zo door over ze zich bij ook tot je mij uit der daar haar naar "
	  "heb hoe heeft hebben u want nog zal me zij nu ge geen omdat iets worden toch al waren veel meer doen toen moet "
	  "ben zonder kan hun dus alles onder ja eens hier wie werd wordt wezen kunnen ons waar wanneer waarom graag "
	  "bedankt dank hallo wil mag welke vandaag morgen jullie jij wij we onze uw" },
	{ "sv", LATIN, "åäö",
	  "måste efter hon eller vilken också kort snart gärna och det att i en jag som han på den med var sig för så "
	  "till är men ett om hade de av icke mig du henne då sin nu har inte hans honom skulle hennes där min man ej vid "
	  "kunde något från ut när upp vi dem vara vad över än dig kan sina här ha mot alla under någon allt mycket sedan "
	  "ju denna själv detta åt utan varit hur ingen mitt ni bli blev oss din dessa några deras blir mina samma er "
	  "sådan vår hej tack vill ska finns hitta idag imorgon varför vilka" },
	{ "da", LATIN, "åæø",
	  "måtte hvilket også kort snart senest tager virker dig gøre gør får fået havde holdt inden siden fordi og i jeg "
	  "det at en den til er som på de med han af for ikke der var mig sig men et har om vi min ham hun nu over da fra "
	  "du ud sin dem os op man hans hvor eller hvad skal selv her alle vil blev kunne ind når være dog noget ville jo "
	  "deres efter ned skulle denne end dette mit under have anden hende mine alt meget sit sine vor mod disse hvis "
	  "din nogle hos blive mange ad bliver hendes været thi jer sådan hej tak kan hvordan hvornår hvorfor gerne brug "
	  "hvilken hvilke ønsker nogen ingen" },
	{ "no", LATIN, "åæø",
	  "siste ikke nå også kort snart gjøre gjør får fått hadde tar virker innen siden fordi lenger mange kunne og i "
	  "jeg det at en et den til er som på de med han av ikkje der så var meg seg men ett har om vi min mitt ha hun "
	  "over da ved fra du ut sin dem oss opp man kan hans hvor eller hva skal selv sjøl her alle vil bli ble blei "
	  "blitt inn når være kom noen noe ville dere deres kun ja etter ned skulle denne for deg si sine sitt mot å "
	  "meget hvorfor dette disse uten hvordan ingen din ditt blir samme hvilken hvilke sånn inni mellom vår hver hvem "
	  "vors hei takk må finnes gjerne mye" },
	{ "fi", LATIN, "äö",
	  "kaksi kolme uusi aina koskaan lyhyt tätä tuo ja on ei se että en oli hän mutta ovat kun niin minä sinä me te "
	  "he mitä missä milloin miksi miten kuka mikä tämä nämä olen olet olla ollut voi voin voinko voiko joka jos kuin "
	  "myös vain nyt sitä minun minulla minulle sinun hänen meidän teidän mukaan kanssa ole tai sen siitä siellä "
	  "täällä tässä sekä jo vielä kaikki hei kiitos haluan haluaisin tarvitsen saako pitää paljonko onko ovatko hyvää "
	  "tänään huomenna kuinka mistä mihin sitten paljon enemmän ilman ennen jälkeen eikä olisi" },
	{ "fr", LATIN, "çœêèùûîôéàâëï",
	  "cet cette trois deux ne jamais toujours trop peu court sous entre le la les de des un une et est à au aux en "
	  "que qui dans pour pas je il elle nous vous ils on se ce ces son sa ses mon ma mes ton notre votre vos leur sur "
	  "avec par plus mais ou où comment quand pourquoi quel quelle quels quelles sont était être avoir ai avez avons "
	  "a fait faire si tout tous très bien aussi comme sans y du merci bonjour peux puis pouvez voudrais veux suis "
	  "êtes encore après avant chez quoi donc même peut doit moi lui aujourd'hui demain depuis" },
	{ "es", LATIN, "ñ¿¡áéíóúü",
	  "dos tres sólo siempre nunca favor poco corto sobre algo así dejó nuevo nueva el la los las de del un una y es "
	  "que en a por para con no se su sus al lo como más pero le ha me sin este esta esto estos estas ya o cuando muy "
	  "también hasta hay donde quien desde todo todos nos durante uno ni contra otros ese eso había ante ellos e mi "
	  "mis tu yo qué cuál cuándo dónde cómo cuánto cuánta puedo puede quiero quisiera tengo tiene está están son era "
	  "ser estar gracias hola buenos buenas hacer necesito mañana hoy usted ustedes nosotros porque entre antes "
	  "después fue han" },
	{ "pt", LATIN, "ãõçáéíóúâêôà",
	  "dois duas três sempre nunca favor pouco sobre algo assim nova novo curto meu um fim muito o a os as de do da "
	  "dos das uma e é que em no na nos nas por para com não se seu sua ao à mais mas como foi ele ela eles ou ser "
	  "quando há já está eu também só pelo pela até isso isto entre depois sem mesmo aos ter seus quem me esse essa "
	  "estão você vocês tinha foram minha meus minhas nosso nossa qual quais onde porque quanto posso pode quero "
	  "queria gostaria tenho tem obrigado obrigada olá bom fazer preciso amanhã hoje são era este esta lhe nem vai "
	  "ainda" },
	{ "it", LATIN, "ìòàèéù",
	  "due tre sempre mai poco sopra qualcosa così nuovo nuova breve il lo la i gli le di del della dei delle dello "
	  "degli un uno una e è che in a da dal dalla per con su sul sulla non si no come ma mi ti ci vi anche più questo "
	  "questa questi queste quello quella sono sei siamo ho hai ha abbiamo hanno era essere avere io tu lui lei noi "
	  "voi loro mio mia miei tuo suo sua nostro vostro cosa chi dove quando perché quale quali quanto posso può "
	  "vorrei voglio grazie ciao buongiorno fare al alla ai nel nella nei se o ne già molto dopo prima senza oggi "
	  "domani ancora tutto tutti stato" },
	{ "ro", LATIN, "ășțşţâî",
	  "două trei scurt scurtă nou nouă mult ori și în de la cu o un pe este nu că care pentru din mai se ce sunt a am "
	  "ai are au fi fost sau dar dacă după până fără eu tu el ea noi voi mea meu tău sa lui ei lor acest această "
	  "acesta aceasta cum când unde cine cât câte câți vreau pot poate puteți mulțumesc bună vă îmi îți te mă ne le "
	  "prin între despre foarte doar tot toate toți spre nici iar să fie astăzi azi mâine comanda ziua avea va vor si" },
	{ "pl", LATIN, "ąęłńśźżćó",
	  "dwa trzy krótki nowy nowa zawsze nigdy około wszystkie i w na z do nie się to jest że o jak co za po ale tak "
	  "ja mnie mi ty on ona my wy oni mój moja moje twój jego jej ich tym tego tej ten ta te już tylko był była było "
	  "być są dla czy od przez kiedy gdzie dlaczego ile kto który która które jestem mam ma masz mamy może mogę można "
	  "chcę chciałbym chciałabym proszę dziękuję dzień dobry cześć bardzo więc aby oraz lub bez przed przy pod nad "
	  "jeszcze wszystko dziś jutro ze we u nas nam sobie tu tam gdy" },
	{ "cs", LATIN, "ěřůáčďéíňóšťúýž",
	  "dva dvě tři nový nová krátký vždy nikdy mé mého mou můj tuto jak dlouho ke ve ze už a v na se je že to s z do "
	  "o k i ale co pro za by jsem jsi jsme jste jsou byl byla bylo být mám má máte může můžu mohu chci chtěl chtěla "
	  "prosím děkuji dobrý den ahoj kde kdy proč kolik kdo který která které mi mě mně moje moji vás nás vám nám "
	  "tento tato toto jen také nebo když než po při před od u si není ještě jako tak ten ta velmi bez dnes zítra "
	  "podle jeho její jejich můžete" },
	{ "sk", LATIN, "ľĺŕôáäčďéíňóšťúýž",
	  "dva dve tri nový nová krátky vždy nikdy môjho mojej moju túto tento ku ako dlho zo vo so dvoch troch a v na sa "
	  "je že to s z do o k aj ale čo pre za by som si sme ste sú bol bola bolo byť mám má máte môže môžem chcem chcel "
	  "chcela prosím ďakujem dobrý deň ahoj kde kedy prečo koľko kto ktorý ktorá ktoré mi ma mne môj moja moje vás "
	  "nás vám nám táto toto už len tiež alebo keď než po pri pred od u nie ešte tak ten tá veľmi bez dnes zajtra "
	  "podľa jeho jej ich môžete" },
	{ "hu", LATIN, "őűöüáéíóú",
	  "két három új mindig soha rövid ezt azt a az és hogy nem is egy ez van volt meg de csak már még ha mint mi ki "
	  "én te ő mit hol mikor miért hogyan mennyi melyik kell lehet nekem neked nekünk vagy vagyok vannak lesz lenne "
	  "szeretnék szeretném kérem köszönöm jó napot szia ami aki akkor most nagyon sok mert majd után előtt nélkül "
	  "minden itt ott el fel be le össze alatt között azonban tudok tud tudom ma holnap hozzá ezek azok erre ennek" },
	{ "tr", LATIN, "ğışçöü",
	  "iki üç yeni hep asla kısa ve bir bu da de için ne ile çok daha gibi var yok ama o ben sen biz siz onlar mi mı "
	  "mu mü nasıl nerede zaman neden kaç kim hangi değil olarak kadar sonra önce en her şey benim senin onun bizim "
	  "sizin bana sana olan oldu olur olduğu istiyorum istiyoruz lütfen teşekkür teşekkürler ederim merhaba iyi "
	  "günler eder misiniz musunuz şu ki ya hiç bile sadece tüm bugün yarın veya göre edebilir mıyım miyim nedir" },
	{ "id", LATIN, "",
	  "dua tiga baru selalu tidak pernah pendek tentang pada sebuah para yang dan di ini itu untuk dengan dari dalam "
	  "akan juga ke karena ada saya anda kami kita mereka dia ia bisa dapat sudah telah belum oleh atau apa apakah "
	  "bagaimana kapan mana mengapa kenapa berapa siapa seperti lebih bagi harus jika kalau tapi tetapi ingin mau "
	  "tolong terima kasih selamat pagi siang halo sangat hanya lagi masih satu orang hari tahun bukan jangan aku "
	  "kamu saat setelah sebelum besok sekarang agar adalah" },
	{ "vi", LATIN, "đơưạảấầậắặẹẻẽếềệỉịọỏốồộớờợụủứừựỳỷỹàáãèéêìíòóôõùúýăâ",
	  "và là của có không được cho với một các những này đó tôi bạn anh chị em chúng ta ở đến từ trong khi nào gì sao "
	  "đâu bao nhiêu ai thế như để đã đang sẽ rất cũng nhưng hay hoặc vì nếu thì mà ra vào lên xuống cảm ơn xin chào "
	  "muốn cần phải làm về người ngày giúp hôm nay mai mình đi" },
	{ "ru", CYRILLIC, "ыэёъ",
	  "две два три новый новая новое всегда никогда короткое хочу изменить эту через месяца моего моей моему об обо "
	  "над под про и в не на я что он с как это а по но мы она они вы ты из у за то от же бы для о к до вас меня мне "
	  "его её их мой моя моё мои ваш где когда почему сколько кто какой какая какие есть был была было быть могу "
	  "можно нужно пожалуйста спасибо здравствуйте привет если или только уже ещё очень все так при без после перед "
	  "нет сегодня завтра этот эта эти" },
	{ "uk", CYRILLIC, "іїєґ",
	  "дві два три новий нова завжди ніколи цю через місяця мого моєї моєму над під про та і в не на я що він з як це "
	  "а по але ми вона вони ви ти із у за то від же б для до вас мене мені його її їх мій моя моє мої ваш де коли "
	  "чому скільки хто який яка які є був була було бути можу можна треба потрібно хочу будь ласка дякую добрий день "
	  "привіт якщо або чи тільки вже ще дуже все так при без після перед немає сьогодні завтра цей ця ці" },
	{ "bg", CYRILLIC, "ъ",
	  "две два три нов нова ново винаги никога кратко тази през месеца моя моята моето за към със във и в не на аз че "
	  "той с като това а по но ние тя те вие ти от у то се да ли си ми му ѝ им мой мое мои ваш къде кога защо колко "
	  "кой каква какво какъв е съм сте са беше бил била мога може трябва искам моля благодаря здравейте здравей ако "
	  "или само вече още много всички така при без след преди няма днес утре този тези ще до което която които ме вас "
	  "нас" },
	{ "el", GREEK, "", "" },
	{ "zh", HAN, "", "" },
	{ "ja", KANA, "", "" },
	{ "ko", HANGUL, "", "" },
	{ "ar", ARABIC, "", "" },
	{ "fa", ARABIC, "پچژگکی", "" },
	{ "he", HEBREW, "", "" },
	{ "th", THAI, "", "" },
	{ "hi", DEVANAGARI, "", "" },
};

#endif
