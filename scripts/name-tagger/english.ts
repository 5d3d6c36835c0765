/** English sentences to train the tagger of names on: with places for names, and without any. Written for this, not taken from anywhere. */

/** Sentences with names: {F} given name and surname, {G} given name, {S} surname, {I} initials and surname, {L} surname, given name, {P} any of the first three. */
export const named: readonly string[] = `
Dear {P},|Dear Mr {S},|Dear Ms. {S}, please find attached the report.|Dear Dr. {S} and Mrs. {S},|Hi {G}, hope you are well.|Hello {G}!|Hey {G}, are you there?|Hi {G} and {G},|{G}, can you check this?
Thanks, {G}|Best wishes, {F}|Kind regards,\\n{F}|Best,\\n{G}|Yours faithfully,\\n{I}|Cheers,\\n{G}\\n{F}\\nSales Manager|Love, {G}|Signed: {F}|Warm regards,\\n\\n{F}
From: {F}|To: {F}; Cc: {F}, {F}|Name: {F}|Full name: {F}\\nDate: {date}|Patient: {F}|Patient name: {L}|Customer: {F}|Contact person: {F}, {phone}|Author: {F}|Doctor: {S}|Nurse: {F}|Manager: {F}
Name,Email,City\\n{F},{email},{city}|{L}\\t{n}\\t{city}|Applicant: {L}|Guarantor: {I}|Beneficiary: {F}|Tenant: {F} and {F}|Emergency contact: {F} (mother)|{"name": "{F}", "age": {n}}|{"firstName":"{G}","lastName":"{S}"}|user.name={F}
{F} is our new {job}.|{F} joined {company} in {year}.|{F}, {n}, of {city}, was arrested on {day}.|{F} said the {thing} was late.|"We are very happy," said {F}.|"No," {G} replied.|{G} told me about the {thing} yesterday.
I spoke with {F} about the {thing}.|I met {G} in {city} last {month}.|Please ask {G} or {F} to sign the {thing}.|Please contact {F} at {email} for details.|Call {G} on {phone}.|My name is {F} and I live in {city}.|This is {G} from {company}.
My name is {G}.|I am {F}, calling about the {thing}.|Speaking with {G}, how can I help?|Agent: My name is {G}, what can I do for you?|{G}: did you see it?\\n{G}: not yet|{G}: ok\\n{G}: thanks {G}!|<{G}> anyone here?|@{G} please review|cc {F}
{F} and {F} were married in {city}.|{F} and her husband {G} moved to {city} in {year}.|{G} and {G} are coming on {day}.|The twins, {G} and {G}, start school in {month}.|My sister {G} lives in {city}.|His brother {F} works at {company}.|Her son {G} is {n}.
Mr. {S} fell at home on {date}.|Mrs {S} was seen by Dr {S} in clinic.|Patient {F} presented with {symptom}.|{F} was admitted on {date} with {symptom}.|Mr {F} was discharged home with his wife {G}.|Reviewed by Dr. {S}.|Seen with Dr {F}, who agrees.
Prof. {F} gave a talk at the University of {city}.|Professor {S} published the results in {year}.|Sir {F} opened the {thing}.|Captain {S} ordered the crew to wait.|Judge {S} adjourned the hearing until {day}.|Officer {S} stopped the vehicle near {city}.|Sergeant {F} took the statement.
Senator {S} voted against the bill.|President {S} arrived in {city} on {day}.|Minister {F} resigned.|Coach {S} praised the team.|Sister {G} read the letter.|Aunt {G} sent a {thing}.|Uncle {G} bought a {product}.|Miss {S} teaches music.
The plaintiff, {F}, claims that {company} owes {n} dollars.|The witness {F} saw the driver.|{F}'s {thing} was found in {city}.|{G}'s birthday is in {month}.|{S}'s lawyer declined to comment.|That is {G}'s {thing}, not mine.|{F}'s account was closed.
According to {F}, the {thing} will open in {month}.|{F} (born {year}) is a {job}.|{F}, a {job} from {city}, won the prize.|{F} of {company} presented the {thing}.|the {job} {F} wrote the {thing}|Photo by {F}|Written by {F} and {F}|Edited by {I}|Translated by {F}
Minutes: {I}, {I}, {F} present; apologies from {F}.|Present: {F}, {F}, {F}|Attendees: {F}, {G}, {G} and {F}|Reviewed-by: {F} <{email}>|Signed-off-by: {F} <{email}>|Assigned to {F} by {F}|Owner: {F}; deputy: {F}|Approved by {I} on {date}
Deliver to {F}, {n} {street}, {city}.|{F}\\n{n} {street}\\n{city}|Ship to {F}|c/o {F}, {n} {street}|The keys are with {G} at {n} {street}.|Leave it with {F} next door.|{F} lives at {n} {street} in {city}.
{F} asked for a refund of {n} dollars.|{F} paid {n} euros for the {thing}.|Transfer {n} euros to {F}.|The invoice was sent to {F} on {date}.|{G} has not answered since {day}.|{G} came, saw and left.|{G} will be late today.|Will {G} be there?|Did {G} call?
When did {F} leave {company}?|Who is {F}?|Where is {G}?|Is {G} coming with {G}?|Has anyone seen {G}?|Do you know {F} from {city}?|Tell {G} I said hello.|Ask {G} about it.|Let {G} know.|Give it to {G}, not to {G}.|Thank you {G}!|Thanks again {G}, great work.|Sorry {G}, my mistake.
Employee {F} (ID {n}) requested leave.|Staff: {F}, room {n}|Teacher: {F}, class {n}|Student {F} scored {n} points.|Interview with {F}, {date}|Candidate: {F}, {n} years of experience|Reference: {F}, {job}, {company}|{F} reports to {F}.|{F} replaced {F} as {job}.
As {G} opened the door, {G} turned around.|{G} smiled at {G}.|{G} and her mother walked home.|"Come in," said {G}.|{G} looked out of the window and sighed.|It was {G} who found the {thing}.|For {G} it was too late.|Between {G} and {G} there was silence.|{S} walked on without a word.
{S} and {S} (year) studied the {thing}.|{S} scored twice against {city}.|{F} defeated {F} in two sets.|{S} beat {S} in the final.|{F} sings, {G} plays the drums.|Starring {F} and {F}.|Directed by {F}, with {F} as the {job}.|{F} has played for {city} since {year}.
Met with {F}, {job} at {company}; follow up on {day}.|Lunch with {G}|{time} call with {F}|Reminder: {G}'s appointment at {time}|Note to {G}: buy {thing}|{G} owes me {n} dollars.|Pick up {G} at {time}.|Happy birthday {G}!|Congratulations to {F} on the new {thing}!|RIP {F}, {year}
The policy holder {F}, born {date}, reported the damage.|Insured: {F}. Driver: {F}.|{F} signed the contract with {company} on {date}.|We, {F} and {F}, agree to this.|I, {F}, declare that the above is true.|between {company} and {F} ("the Employee")|On behalf of {company}, {F}
Herr {S} und Frau {S}|Señor {F}|Madame {S} called about the {thing}.|Monsieur {F} arrived.|Don {G}|Lady {S} and Lord {S}|Father {G} blessed the {thing}.|Dr. {G} {S}, MD|{F}, PhD|{F} Jr.|{F} III|Mr. & Mrs. {S}|the {S} family|the {S}s of {city}
last seen by {F} on {date}|escalated to {F}|ticket opened by {F}, closed by {G}|password reset for user {F}|login of {F} failed|session of {F} ended at {time}|email from {F} bounced|message from {G}: call me|sent by {F} from my phone
`
  .trim()
  .split(/[|\n]/)
  .map((line) => line.replaceAll("\\n", "\n").replaceAll("\\t", "\t"));

/** Sentences without names, many with words that are names elsewhere. */
export const unnamed: readonly string[] = `
Will you come to the meeting?|Will it rain on {day}?|Will the shop be open in May?|Mark the date in your calendar.|Mark all messages as read.|Please mark your answer with a cross.|May I ask a question?|May was warm, June was cold and April was wet.|It may take until May.
Rose petals and lily seeds are sold here.|Prices rose in {month}.|The sun rose at {time}.|Grant access to the {thing}.|The grant was approved in {year}.|A grant of {n} euros was paid.|Chase the invoice.|The chase ended in {city}.|Frank answers are welcome.|To be frank, it was bad.
Bill of sale|Bill to the address below.|The bill was {n} dollars.|Pay the bill by {date}.|Hope this helps.|Hope you are well.|I hope to hear from you.|Faith and reason|Joy and sorrow|Grace period of {n} days|Dawn broke over {city}.|At dawn the {thing} left.|Summer sale: {n} off|Autumn leaves
Amber alert in {city}|Amber and green lights|Ruby {n} is out.|Ruby on Rails|Pearl and crystal earrings|Crystal clear|Crystal structure of the {thing}|Iris data set, {n} samples|Violet light|Olive oil and hazel nuts|Ivy covered the wall.|Basil, sage and rosemary|Jasmine tea|Daisy chain
Rich people and poor people|Rich text format|Max speed {n}|Max. {n} items|Max pooling and dropout|Art and craft supplies|Art history|Gene therapy|Gene expression data|Ray tracing on the {product}|X-ray of the chest|Cliff path closed|Dean of the faculty|Dean's list|Christian holidays|Guy rope
Pat dry with a towel.|Sue the company for damages.|Drew a line|Jack of all trades|Jack the car up.|Mike stand and cables|Miles per hour|Miles away from {city}|Earnest money of {n} dollars|Victor and vanquished|Sterling fell against the dollar.|Carol singing in December|Robin nests in {month}
Penny stocks|Harmony and balance|Virginia and Georgia voted on {day}.|Georgia borders Florida.|Flights to Sydney, Victoria and Adelaide|Florence is in Tuscany.|Paris, Milan and London fashion weeks|Charlotte, North Carolina|Jackson, Mississippi|Houston, Texas|San Diego|Santa Barbara|Saint Helena
St. John's Wood|St. Mary's Hospital|St Andrews|Mount St. Helens|King's Cross station|Victoria Park|Lake Victoria|Washington Square|Madison Avenue|Lincoln Center|Baker Street|Carnaby Street|Fleet Street|Hudson River|Nelson Mandela Bay stadium|Franklin County|Jefferson City|Harrison Road
Wells Fargo raised rates.|JP Morgan and Goldman Sachs|Ford recalled {n} cars.|Ford and Tesla|Hilton Hotels|Marriott opened in {city}.|McDonald's sells burgers.|Wendy's and Arby's|Ben & Jerry's ice cream|Levi's jeans|Calvin Klein|Ralph Lauren|Harley Davidson|Rolls Royce|Aston Martin|Uncle Ben's rice
Taylor series expansion|Bayes theorem|Laplace transform|Fourier analysis|Markov chain|Poisson distribution|Bernoulli trial|Euler angles|Hessian matrix|Jacobian|Alzheimer's disease|Down syndrome|Cushing syndrome|Hashimoto thyroiditis|Doppler effect|Celsius and Kelvin|Pascal and Ada code
Adam optimizer with weight decay|The Adam optimizer|Julia, Ruby, Elm and Crystal are languages.|Apache Kafka topic|Docker, Ansible and Terraform|Maven build failed|Hugo site generator|Oscar nomination|Emmy award|Tony award|Grammy|Pulitzer Prize|Booker prize|Academy Award
Alexa and Siri|Cortana|Watson by IBM|Claude and Gemini are models.|Lisa and Macintosh|Wendy house|Jersey cow|Boston terrier|Brussels sprouts|Turkey sandwich|China plates|Japan and Chad|Jordan and Israel|Kelvin|Melbourne Cup|Stanley Cup|Davis Cup|Ryder Cup|Super Bowl
The {thing} is on the table.|The {product} was released in {year}.|Our {thing} arrives on {day}.|Please send the {thing} by {date}.|Order {n} was shipped.|Your order of {date} is late.|Invoice {n} is overdue.|The price is {n} dollars.|Ticket {n} is closed.|Version {n}.{n} is out.
Error {n}: file not found|Warning: disk full|Started Session {n} of user root.|INFO Server started on port {n}|DEBUG Connection closed|GET /index.html {n}|Build {n} passed|Deploy to production done|Merge branch main into release|Fix typo in README|Update dependencies|Bump version to {n}
{company} opened an office in {city}.|{company} bought {company} for {n} million.|Shares of {company} fell on {day}.|{company} and {company} work together.|He works at {company} in {city}.|She moved from {city} to {city}.|The train from {city} to {city} leaves at {time}.|Weather in {city}: cloudy
We met in {city} on {day}.|On {day} we fly to {city}.|In {month} {year} the {thing} closed.|{month} {n}, {year}|Every {day} at {time}|From {month} to {month}|Happy New Year!|Merry Christmas|Easter Monday|Good Friday|Black Friday deals|Independence Day|Labour Day weekend
Patient presents with {symptom}.|Patient denies {symptom}.|History of {symptom}.|Allergies: Penicillin|Medication: Aspirin {n} mg|Prescribed Amoxicillin and Ibuprofen.|Metoprolol {n} mg daily|Blood pressure {n} over {n}|Vital Signs: stable|Chief Complaint: {symptom}|Plan: Follow up in {n} weeks.
Physical Examination|Past Medical History|Discharge Summary|Informed Consent|Terms and Conditions|Privacy Policy|Table of Contents|Executive Summary|Annual Report {year}|General Manager|Head of Sales|Chief Executive Officer|Board of Directors|Human Resources|Customer Service|Technical Support
Dear Sir or Madam,|Dear customer,|Dear team,|Dear all,|Hi there,|Hello everyone,|Good morning,|To whom it may concern|Thank you for your order.|Thanks in advance|Kind regards|Best wishes|Yours sincerely|Looking forward to it|Sent from my iPhone|Please do not reply
Name: ________|Name of the product: {product}|Full name and date of birth|First Name, Last Name, Address|Email, phone, city|user name or password wrong|Contact us|Sign in|Log out|Forgot password|Click here|Read more|Subscribe to our newsletter|Terms apply|Read the Manual|Quick Start Guide
United States of America|European Union|United Nations|World Health Organization|Supreme Court|House of Commons|White House|Wall Street|Silicon Valley|New York Times|Financial Times|Red Cross|Royal Mail|National Health Service|University of {city}|{city} Airport|{city} Hospital|{city} United won.
The Old Man and the Sea|A Tale of Two Cities|Lord of the Rings|Star Wars|Game of Thrones|The Great Gatsby|Harry Potter book|Moonlight Sonata|Swan Lake|Romeo and Juliet, a play|Hamlet|Macbeth|Iliad|Bible|Koran|Genesis {n}:{n}|Psalm {n}|Luke {n}:{n}|Matthew {n}:{n}|Acts {n}
Monday, Tuesday and Wednesday|Spanish, French and German|English or Chinese|Roman Empire|Greek gods|Mars and Venus|Jupiter has moons.|Mercury is toxic.|Earth and Moon|Amazon River|Nile|Sahara Desert|Rocky Mountains|Pacific Ocean|Mediterranean Sea|Black Sea|Great Lakes|Cape Cod
Cats and dogs|Whales are mammals.|The captain stood on deck.|The doctor examined the patient.|The nurse came at {time}.|The judge was late.|My mother likes tea.|His father was a {job}.|Her sister is a {job}.|Our neighbour has a dog.|The children played.|Nobody knows why.|Everyone laughed.
Yes, of course.|No problem.|Ok, see you then.|Sure!|Great, thanks.|Sounds good to me|Sorry for the delay.|What a day!|Oh dear.|Hurry up!|Never mind.|Perhaps tomorrow.|Certainly not.|However, this is rare.|Therefore it failed.|Although late, it worked.|Because of rain|Unless stated|Otherwise ignore it.
Shall we go?|Can you help?|Could this be right?|Should I wait?|Would you like tea?|Does it work?|Is this the {thing}?|Are there any questions?|Who pays?|Where is the {thing}?|When does it open?|Why not?|How many {thing}s are left?|Which one?|Whose {thing} is this?
The {any} River is high.|The {any} flows into the sea.|Across the {any}|In {any} and in {any}|The {any} on {street} is closed.|{any}'s disease|{any} syndrome|{any} lymphoma|Mount {any}|Lake {any}|Port {any}|{any} County|{any} Bridge|{any} beat {any} two to one.|{any} United lost.|The {any} Hotel|The {any} method works.|A {any} transform|{any} is a town near {any}.|from {any} to {any}|{any} Cup|{any} Airport|Ask {product} about the weather.|A red {product}|The {product} crashed.|Bearer token|Authorization: Bearer|Spring came early.|When winter came|Summer Camp starts in {month}.|She was born in {city}.|He studied in {any}.|Old Street and New Road|Turn right at {street}.|{street} is closed.|Roadworks on {street}|{n} {street}, {city}|Meet me at {street} and {street}.|The {street} branch closes in {month}.|Room {n}, Floor {n}|Gate {n}|Platform {n}|Terminal {n}|Exit {n}|Bus {n} to {city}|Route {n} is closed.
`
  .trim()
  .split(/[|\n]/);

/** What the places of sentences are filled with. */
export const fillers: Readonly<Record<string, readonly string[]>> = {
  city: "London Paris Berlin Madrid Rome Boston Chicago Denver Seattle Dallas Houston Atlanta Phoenix Toronto Montreal Vancouver Sydney Melbourne Perth Auckland Dublin Cork Leeds York Bath Oxford Cambridge Glasgow Cardiff Belfast Lyon Nice Milan Turin Naples Vienna Zurich Geneva Brussels Amsterdam Copenhagen Oslo Stockholm Helsinki Warsaw Prague Budapest Athens Istanbul Cairo Nairobi Lagos Accra Johannesburg Mumbai Delhi Bangalore Karachi Dhaka Bangkok Singapore Jakarta Manila Tokyo Osaka Seoul Beijing Shanghai Lima Bogota Santiago Denton Fargo Omaha Tulsa Reno Salem Camden Preston Bradford Lancaster Winchester Durham"
    .split(" ")
    .concat(
      "New York",
      "Los Angeles",
      "San Jose",
      "St. Paul",
      "Hong Kong",
      "Kuala Lumpur",
      "Tel Aviv",
      "Cape Town",
      "Buenos Aires",
      "Rio de Janeiro",
      "Mexico City",
      "Salt Lake City",
      "New Orleans",
      "Las Vegas",
    ),
  company:
    "Acme|Contoso|Initech|Globex|Microsoft|Google|Amazon|Oracle|Siemens|Bosch|Toyota|Honda|Samsung|Sony|Nestle|Unilever|Pfizer|Novartis|Shell|Boeing|Airbus|Lufthansa|Delta|Vodafone|Spotify|Netflix|Walmart|Tesco|Aldi|IKEA|Bright Solutions Ltd|Northern Foods|Summit Bank|Harbour Logistics|Baker & Sons|Miller Brothers|Green Valley Farms|Silverline Insurance|Blue River Capital|Cooper Industries|Hughes Aircraft|Marsh Group|Foster Partners|Grant Thornton|Ernst & Young|Bain & Company|Wilson Sporting Goods|Carter Holdings|Stone & Co.|First National Bank|City Council|Department of Health".split(
      "|",
    ),
  product:
    "iPhone|Galaxy|Windows|Linux|PlayStation|Kindle|Model T|Civic|Corolla|Golf|Focus|Fiesta|Beetle|Falcon|Atlas|Phoenix|Eclipse|Chrome|Firefox|Excel|Word|Photoshop|Python|Java|Rust|Swift|Django|Rails|Angular|Thunderbird".split(
      "|",
    ),
  job: "engineer teacher nurse lawyer driver farmer painter singer writer clerk manager director accountant plumber carpenter baker cook tailor mason porter smith dentist surgeon pilot student professor".split(
    " ",
  ),
  thing:
    "report contract parcel letter invoice key book car house garden meeting budget project database server camera phone ticket form photo table window bridge school market garage kitchen".split(
      " ",
    ),
  symptom:
    "chest pain|fever|cough|headache|nausea|shortness of breath|back pain|a broken wrist|dizziness|asthma|diabetes|hypertension".split(
      "|",
    ),
  street:
    "Main Street|High Street|Oak Avenue|Maple Drive|Park Road|Church Lane|Mill Road|Station Road|King Street|Queen Street|Elm Street|Cedar Court|Washington Boulevard|Lincoln Avenue|Victoria Road|Albert Square|George Street|Harvey Lane|Martin Luther King Drive|Spring Gardens|Castle Hill|Bridge Street|Lakeview Terrace|Ashley Close|Jackson Street".split(
      "|",
    ),
  month: "January February March April May June July August September October November December".split(" "),
  day: "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(" "),
};

/** What names of streets end with. */
export const streets: readonly string[] =
  "Street Road Lane Avenue Drive Close Court Square Park Bridge Terrace Boulevard Way Hill".split(" ");

/** Words before a name at the beginning of a sentence. */
export const introductions: readonly string[] =
  "But|And|Now|Then|So|Yes,|No,|Oh,|Ah,|Well,|When|While|As|If|Because|Although|Yet|Still|Poor|Old|Young|Dear|Captain|Doctor|Besides,|However,|Today|Yesterday|Later|Meanwhile,|Perhaps|Maybe|Once|Here|There|With|Like|To|For|By|From|Where|Said|Only|Even|Both|Sorry,|Thanks,|Look,|Listen,|Good morning,|Good evening,".split(
    "|",
  );

/** Common words of English. */
export const common: readonly string[] =
  `the be to of and a in that have it for not on with as you do at this but his by from they we say her she or an will my one all would there their what so up out if about who get which go me when make can like time no just him
know take people into year your good some could them see other than then now look only come its over think also back after use two how our work first well way even new want because any these give day most us is are was were been
has had did does said went made came took got knew thought saw felt left kept told asked found put ran sat stood fell held brought began turned moved lived loved died heard eyes hand head face heart voice door house room night
morning evening sun moon sea ship water wind fire earth sky land hill river tree forest bird fish horse dog cat whale boy girl man woman men women child children mother father brother sister son daughter friend king queen lord
lady captain sailor soldier doctor priest god devil soul body blood bone flesh leg arm foot feet hair skin white black red green blue yellow grey brown old young long short tall small large great little deep high low dark light
cold hot warm wet dry soft hard strong weak quick slow early late near far above below under between among before behind beside within without against along across through during until since while though yet still never always often
sometimes seldom soon already almost perhaps maybe indeed certainly surely truly really very too quite rather much many few several each every both either neither such same different own last next another more less least again ever
once twice upon away down off here where why whether how however therefore thus hence otherwise besides moreover nevertheless meanwhile instead oh ah alas hello yes no please thanks sorry ho hurrah thou thee thy ye hath doth shall
should must may might ought need dare let lets stop wait listen hear look see watch hold keep stay leave run walk ride swim fly sleep wake eat drink cook smoke laugh cry weep smile shout whisper speak talk call answer ask reply read
write learn teach think believe hope fear love hate wish dream remember forget begin end open close break mend build burn cut draw drive drop fall fight fill find follow grow hang hide hit hunt hurt join jump kick kill lay lead lie
lift lose meet miss pass pay play pull push reach rest rise roll rule sail sell send set shake shine shoot shut sing sink sit slip spend spread stand steal strike swing teach tear throw touch try wash wear win wind wonder food
service place price great awful terrible excellent nice best worst better phone battery case quality product movie film story acting ending restaurant staff waiter waitress server pizza burger salad chicken steak fries sushi coffee
table order money minutes hours week month problem sound screen headset ear size color easy works worked bought ordered tried recommend disappointed delicious fresh tasty bland overpriced friendly rude waste buy purchase item seller
chapter book page part section history nature art science world country city town village street school church office company market government law order war peace north south east west northern southern eastern western atlantic
pacific arctic european american english french german spanish dutch italian russian chinese japanese african indian christian roman greek latin monday sunday christmas heaven hell bible sabbath government president minister union`
    .trim()
    .split(/\s+/);
