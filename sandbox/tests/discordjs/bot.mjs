// A small discord.js 14 bot: `/hello name:` with autocomplete, a button and an answer that takes a moment. It knows the sandbox by its address alone.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.DISCORDJS_DIR, 'bot.js'));
const { ActionRowBuilder, ButtonBuilder, ButtonStyle, Client, GatewayIntentBits, SlashCommandBuilder } = require('discord.js');

const client = new Client({
  intents: [GatewayIntentBits.Guilds],
  allowedMentions: { parse: [] },
  rest: { api: process.env.DISCORD_API },
});

client.once('clientReady', async () => {
  const hello = new SlashCommandBuilder()
    .setName('hello')
    .setDescription('Greets')
    .addStringOption((name) => name.setName('name').setDescription('Whom').setRequired(true).setAutocomplete(true));
  await client.application.commands.set([hello], process.env.DISCORD_GUILD_ID);
});

client.on('interactionCreate', async (interaction) => {
  if (interaction.isAutocomplete()) {
    const typed = interaction.options.getFocused();
    const names = ['ada', 'grace', 'linus'].filter((name) => name.startsWith(typed));
    await interaction.respond(names.map((name) => ({ name, value: name })));
  } else if (interaction.isChatInputCommand() && interaction.options.getString('name') === 'linus') {
    await interaction.deferReply();
    await interaction.editReply('Hello at last.');
  } else if (interaction.isChatInputCommand()) {
    const again = new ButtonBuilder().setCustomId('again').setLabel('Again').setStyle(ButtonStyle.Primary);
    const components = [new ActionRowBuilder().addComponents(again)];
    await interaction.reply({ content: `Hello ${interaction.options.getString('name')}.`, components });
  } else if (interaction.isButton()) {
    await interaction.update({ content: 'Hello again.', components: [] });
  }
});

await client.login(process.env.DISCORD_TOKEN);
